"""How the kernels draw that run the notebooks for the pages; `book/tools/build.py` puts it where they look for it."""

c = get_config()  # noqa: F821

c.IPKernelApp.log_level = "ERROR"
c.InlineBackend.figure_formats = {"svg"}  # book/_ext/figures.py makes them ready for dark pages
# The resolution is that of photographs: twice a screen's 96. Without dates the same figure is the same file.
c.InlineBackend.print_figure_kwargs = {"bbox_inches": "tight", "dpi": 192, "metadata": {"Date": None}}
