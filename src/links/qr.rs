//! QR codes, drawn here: no request leaves for one.

use fast_qr::convert::svg::SvgBuilder;
use fast_qr::convert::{Builder, Shape};
use fast_qr::{ECL, QRBuilder};

/// A text as a QR code in SVG, with a margin of `margin` modules. Empty when the text is too long.
pub fn svg(text: &str, margin: usize) -> String {
    match QRBuilder::new(text).ecl(ECL::M).build() {
        Ok(code) => SvgBuilder::default().shape(Shape::Square).margin(margin).to_str(&code),
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::svg;

    #[test]
    fn a_qr_code_is_plain_svg() {
        let svg_of_link = svg("https://example.com/r/K7M-4XP-D2CW", 1);
        assert!(svg_of_link.starts_with("<svg") && svg_of_link.ends_with("</svg>"), "{svg_of_link}");
        for part in ["style=", "<script", "<image"] {
            assert!(!svg_of_link.contains(part), "{part}: {svg_of_link}");
        }
        assert_eq!(svg(&"x".repeat(5_000), 1), "");
    }
}
