"""asgiwire beside its peers and beside hand-written ASGI code: ``python -m benchmarks --help``.

============================  =====================================================================
``benchmarks.inputs``         what a server would hand to an application, no two of it alike
``benchmarks.rows``           what is measured: one row of the table each
``benchmarks.contestants``    who is measured: one module each, with one function for each row
``benchmarks.timing``         how: results compared first, then rounds in which all take turns
``benchmarks.growth``         cost against size, and the exponent
``benchmarks.footprint``      bytes per idle object, modules and time per import
``benchmarks.report``         the tables and the JSON
``benchmarks.chart``          the SVG
============================  =====================================================================

Left out: a server. What is measured here is what a connection object costs, not a network.
"""
