"""asgiwire beside its peers and beside hand-written ASGI code: ``python -m benchmarks --help``.

============================  =====================================================================
``benchmarks.inputs``         what a server would hand to an application, no two of it alike
``benchmarks.rows``           what is measured: one row of the table each
``benchmarks.contestants``    who is measured: one module each, with one function for each row
``benchmarks.timing``         how: results compared first, then rounds in which all take turns
``benchmarks.growth``         cost against size, and the exponent
``benchmarks.footprint``      bytes per idle object, modules and time per import
``benchmarks.memory``         large uploads: growth of the process, stalls of the event loop
``benchmarks.server``         requests per second on uvicorn: of ``echo``, under ``load``
``benchmarks.targets``        what has to be reached, and what of it is
``benchmarks.results``        what is kept as JSON, and the ratios
``benchmarks.report``         the tables as text
``benchmarks.chart``          the SVG
``benchmarks.page``           the speed page of the documentation, made of the runs in ``runs/``
``benchmarks.guard``          counts instead of times, which the tests compare with ``baseline.json``
============================  =====================================================================
"""
