//! The fonts of a document: characters to glyphs, widths, and the part of each font that the document uses.

use std::collections::BTreeMap;

use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap};
use pdf_writer::{Finish, Name, Pdf, Rect, Ref, Str};
use subsetter::GlyphRemapper;
use ttf_parser::{Face, GlyphId};
use unicode_normalization::UnicodeNormalization;

use super::{Broken, compressed};

const REGULAR: &[u8] = include_bytes!("../../fonts/NotoSans-Regular.ttf");
const BOLD: &[u8] = include_bytes!("../../fonts/NotoSans-Bold.ttf");

/// Stands for a character that the fonts lack.
const REPLACEMENT: char = '\u{fffd}';
const SYSTEM: SystemInfo<'static> = SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };

/// The weight of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    Regular,
    Bold,
}

impl Weight {
    pub const ALL: [Self; 2] = [Self::Regular, Self::Bold];

    /// The name that the pages of a document know its font by.
    pub fn name(self) -> Name<'static> {
        match self {
            Self::Regular => Name(b"F0"),
            Self::Bold => Name(b"F1"),
        }
    }

    fn data(self) -> &'static [u8] {
        match self {
            Self::Regular => REGULAR,
            Self::Bold => BOLD,
        }
    }

    fn font_name(self) -> &'static str {
        match self {
            Self::Regular => "NotoSans-Regular",
            Self::Bold => "NotoSans-Bold",
        }
    }
}

pub struct Font {
    weight: Weight,
    face: Face<'static>,
    glyphs: GlyphRemapper,
    /// The glyphs in use, by their number in the document: the character and its width.
    used: BTreeMap<u16, (char, f32)>,
}

/// True for what takes no place: marks of direction, joiners, selectors of a variant.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ad}')
}

/// The text as it is drawn: composed, without what takes no place, on one line.
pub fn drawn(text: &str) -> String {
    let visible = text.nfc().filter(|c| !is_invisible(*c));
    visible.map(|c| if c.is_control() || c.is_whitespace() { ' ' } else { c }).collect()
}

impl Font {
    pub fn new(weight: Weight) -> Result<Self, Broken> {
        let face = Face::parse(weight.data(), 0).map_err(|why| Broken(why.to_string()))?;
        Ok(Self { weight, face, glyphs: GlyphRemapper::new(), used: BTreeMap::new() })
    }

    fn glyph(&self, c: char) -> (GlyphId, char) {
        let found = |c: char| self.face.glyph_index(c).map(|glyph| (glyph, c));
        found(c).or_else(|| found(REPLACEMENT)).unwrap_or((GlyphId(0), REPLACEMENT))
    }

    /// In thousandths of the size.
    fn advance(&self, glyph: GlyphId) -> f32 {
        let advance = f32::from(self.face.glyph_hor_advance(glyph).unwrap_or_default());
        advance * 1000.0 / f32::from(self.face.units_per_em())
    }

    /// The width of a drawn text.
    pub fn width(&self, text: &str, size: f32) -> f32 {
        text.chars().map(|c| self.advance(self.glyph(c).0)).sum::<f32>() * size / 1000.0
    }

    /// A drawn text as the page names its glyphs.
    pub fn encoded(&mut self, text: &str) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(2 * text.len());
        for c in text.chars() {
            let (glyph, shown) = self.glyph(c);
            let number = self.glyphs.remap(glyph.0);
            let advance = self.advance(glyph);
            self.used.entry(number).or_insert((shown, advance));
            bytes.extend(number.to_be_bytes());
        }
        bytes
    }

    /// Writes the part of the font that was used.
    pub fn write(&self, pdf: &mut Pdf, id: Ref, mut next: impl FnMut() -> Ref) -> Result<(), Broken> {
        let (cid, descriptor, file, unicode) = (next(), next(), next(), next());
        let part = subsetter::subset(self.weight.data(), 0, &self.glyphs).map_err(|why| Broken(why.to_string()))?;
        let name = format!("{}+{}", self.tag(), self.weight.font_name());
        let name = Name(name.as_bytes());
        let mut font = pdf.type0_font(id);
        font.base_font(name).encoding_predefined(Name(b"Identity-H")).descendant_font(cid).to_unicode(unicode);
        font.finish();

        let scale = |units: i16| f32::from(units) * 1000.0 / f32::from(self.face.units_per_em());
        let mut of_cids = pdf.cid_font(cid);
        of_cids.subtype(CidFontType::Type2).base_font(name).system_info(SYSTEM).font_descriptor(descriptor);
        of_cids.default_width(0.0).cid_to_gid_map_predefined(Name(b"Identity"));
        let mut widths = of_cids.widths();
        for (number, (_, width)) in &self.used {
            widths.same(*number, *number, *width);
        }
        widths.finish();
        of_cids.finish();

        let bounds = self.face.global_bounding_box();
        let bounds = Rect::new(scale(bounds.x_min), scale(bounds.y_min), scale(bounds.x_max), scale(bounds.y_max));
        let (ascent, descent) = (scale(self.face.ascender()), scale(self.face.descender()));
        let cap_height = self.face.capital_height().map_or(ascent, scale);
        pdf.font_descriptor(descriptor)
            .name(name)
            .flags(FontFlags::SYMBOLIC)
            .bbox(bounds)
            .italic_angle(0.0)
            .ascent(ascent)
            .descent(descent)
            .cap_height(cap_height)
            .stem_v(if self.weight == Weight::Bold { 140.0 } else { 90.0 })
            .font_file2(file);
        let bytes = compressed(&part)?;
        pdf.stream(file, &bytes)
            .filter(pdf_writer::Filter::FlateDecode)
            .pair(Name(b"Length1"), i32::try_from(part.len()).unwrap_or(i32::MAX));

        let mut cmap = UnicodeCmap::new(Name(b"Refdesk"), SYSTEM);
        for (number, (c, _)) in &self.used {
            cmap.pair(*number, *c);
        }
        let cmap = cmap.finish();
        let bytes = compressed(cmap.as_slice())?;
        pdf.cmap(unicode, &bytes).filter(pdf_writer::Filter::FlateDecode);
        Ok(())
    }

    /// Six letters that tell this part of the font from another one.
    fn tag(&self) -> String {
        let mut sum = self
            .glyphs
            .remapped_gids()
            .fold(0xcbf2_9ce4_8422_2325_u64, |sum, glyph| (sum ^ u64::from(glyph)).wrapping_mul(0x0100_0000_01b3));
        let mut letter = || {
            let letter = char::from(b'A' + (sum % 26) as u8);
            sum /= 26;
            letter
        };
        std::iter::repeat_with(&mut letter).take(6).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_europe_are_in_both_weights() {
        let all = "Aaß Łódź ČŠž ğİş ők Ñño Æø Ðþ Ąę Îşț Ўўі Щщё Ѓќ Ωά ₴ € £ ₹ − – — „“ ’ … % \u{fffd}";
        for font in Weight::ALL.map(|weight| Font::new(weight).expect("a font")) {
            for c in all.chars() {
                assert_eq!(font.glyph(c).1, c);
            }
            assert_eq!(font.glyph('中').1, REPLACEMENT);
        }
    }
}
