"""Codes that a camera reads, as drawings inside the page: nothing is fetched to show them."""

import segno
from markupsafe import Markup

QUIET_ZONE = 4


def qr_svg(text: str, *, label: str = "", size: str = "100%") -> Markup:
    """Return a QR code of `text` as inline SVG, dark on white with its quiet zone.

    label: what it leads to, read aloud in place of the picture; without one the picture is passed
    over, for where words stand beside it. size: width and height, a length of CSS. Refuses
    (ValueError) more than about 2,300 bytes.
    """
    try:
        code = segno.make(text, error="m", micro=False, boost_error=False)
    except segno.DataOverflowError:
        raise ValueError("this text is too long for a QR code") from None
    modules = code.symbol_size(border=QUIET_ZONE)[0]
    drawing = code.svg_inline(border=QUIET_ZONE, omitsize=True, light="#fff", svgclass=None)
    paths = drawing[drawing.index(">") + 1 : drawing.rindex("</svg>")]
    inner = Markup(paths)  # noqa: S704 - numbers and letters of paths, nothing of the text
    spoken = Markup('role="img" aria-label="{}"').format(label)
    return Markup(
        '<svg viewBox="0 0 {m} {m}" width="{s}" height="{s}" shape-rendering="crispEdges" '
        "{spoken}>{inner}</svg>"
    ).format(
        m=modules, s=size, spoken=spoken if label else Markup('aria-hidden="true"'), inner=inner
    )
