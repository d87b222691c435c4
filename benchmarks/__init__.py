"""Benchmarks of asgiwire, its peers and hand-written ASGI code; see ``python -m benchmarks --help``.

============================  ================================================================
``benchmarks.inputs``         scopes and messages, a different one for every call
``benchmarks.rows``           the rows of the table
``benchmarks.contestants``    the libraries that are measured, with one function per row
``benchmarks.timing``         how the rows are timed
``benchmarks.growth``         time by input size, and its exponent
``benchmarks.footprint``      bytes per idle object, modules and milliseconds per import
``benchmarks.memory``         large uploads: growth of the process, stalls of the event loop
``benchmarks.server``         requests per second on uvicorn, with ``benchmarks.load`` as client
``benchmarks.targets``        the targets
``benchmarks.report``         the report: text, chart, and the page of the documentation
``benchmarks.against``        comparison of two source trees of asgiwire
============================  ================================================================
"""
