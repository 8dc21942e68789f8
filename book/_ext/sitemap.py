"""All pages for search engines: ``sitemap.xml``, from the environment: whole, even if few pages were written again."""

from pathlib import Path
from xml.etree import ElementTree as ET

NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"


def sitemap(addresses):
    """The map as XML.

    Parameters
    ----------
    addresses : iterable of str

    Returns
    -------
    bytes
    """
    ET.register_namespace("", NAMESPACE)
    root = ET.Element(f"{{{NAMESPACE}}}urlset")
    for address in addresses:
        ET.SubElement(ET.SubElement(root, f"{{{NAMESPACE}}}url"), f"{{{NAMESPACE}}}loc").text = address
    ET.indent(root)
    return ET.tostring(root, "utf-8", xml_declaration=True)


def write(app, exception):
    """Write the map beside the pages."""
    if exception is None and app.builder.format == "html":
        pages = (f"{app.config.html_baseurl}{app.builder.get_target_uri(name)}" for name in sorted(app.env.found_docs))
        Path(app.outdir, "sitemap.xml").write_bytes(sitemap(pages))


def setup(app):
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
