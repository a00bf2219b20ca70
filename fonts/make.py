"""Makes the fonts of this folder from those of the Debian package fonts-noto-core: the letters of Latin, Greek and
Cyrillic, and a minus sign drawn after the plus sign. Needs fontTools.

    python3 fonts/make.py /usr/share/fonts/truetype/noto
"""

import sys
from pathlib import Path

from fontTools import subset
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont

UNICODES = (
    "0020-007E,00A0-024F,0259,02B0-02BF,02C6-02DD,0300-0304,0306-0308,030A-030C,0323-0328,0370-03FF,0400-04FF,"
    "1E00-1EFF,2000-200A,2010-2027,202F-203A,2044,2070-2079,2080-2089,20A0-20BF,2116,2122,2212,FFFD"
)


def add_minus(font):
    glyphs, plus = font["glyf"], font.getBestCmap()[ord("+")]
    across = sorted({y for _, y in glyphs[plus].coordinates})[1:3]
    left, right = glyphs[plus].xMin, glyphs[plus].xMax
    pen = TTGlyphPen(None)
    pen.moveTo((left, across[0]))
    for point in [(left, across[1]), (right, across[1]), (right, across[0])]:
        pen.lineTo(point)
    pen.closePath()
    glyphs["minus"] = pen.glyph()
    font["hmtx"]["minus"] = font["hmtx"][plus]
    for table in font["cmap"].tables:
        if table.isUnicode():
            table.cmap[0x2212] = "minus"


def main(folder):
    here = Path(__file__).parent
    for name in ["NotoSans-Regular.ttf", "NotoSans-Bold.ttf"]:
        font = TTFont(Path(folder) / name)
        if 0x2212 not in font.getBestCmap():
            add_minus(font)
        options = subset.Options(
            hinting=False, layout_features=[], notdef_outline=True, glyph_names=False, recalc_timestamp=False
        )
        options.drop_tables += ["GSUB", "GPOS", "GDEF", "DSIG", "meta"]
        wanted = subset.Subsetter(options)
        wanted.populate(unicodes=subset.parse_unicodes(UNICODES))
        wanted.subset(font)
        font.save(here / name)


main(sys.argv[1])
