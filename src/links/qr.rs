//! QR codes, drawn here: no request leaves for one.

use std::io::{self, Write};

use fast_qr::convert::svg::SvgBuilder;
use fast_qr::convert::{Builder, Shape};
use fast_qr::{ECL, QRBuilder, QRCode};
use flate2::Compression;
use flate2::write::ZlibEncoder;

/// White around a QR code as a picture, in modules: the standard asks for four.
pub const MARGIN: usize = 4;
/// The side of a module in a PNG, in dots: a code of 33 modules is 492 dots wide, enough for a poster's proof.
const DOTS: usize = 12;

/// A text as a QR code in SVG, with a margin of `margin` modules. Empty when the text is too long.
pub fn svg(text: &str, margin: usize) -> String {
    match QRBuilder::new(text).ecl(ECL::M).build() {
        Ok(code) => SvgBuilder::default().shape(Shape::Square).margin(margin).to_str(&code),
        Err(_) => String::new(),
    }
}

/// A text as a QR code in PNG, black on white. Empty when the text is too long.
///
/// # Errors
/// Memory is the only thing written to, so there is none in practice.
pub fn png(text: &str) -> io::Result<Vec<u8>> {
    let Ok(code) = QRBuilder::new(text).ecl(ECL::M).build() else { return Ok(Vec::new()) };
    let side = (code.size + 2 * MARGIN) * DOTS;
    let mut dots = ZlibEncoder::new(Vec::new(), Compression::best());
    for y in 0..code.size + 2 * MARGIN {
        let row = row(&code, y, side);
        for _ in 0..DOTS {
            dots.write_all(&row)?;
        }
    }
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    let side = u32::try_from(side).map_err(io::Error::other)?.to_be_bytes();
    // One bit a dot, in grey, with the only ways of packing and filtering there are, and not interlaced.
    chunk(&mut out, b"IHDR", &[&side[..], &side[..], &[1, 0, 0, 0, 0]].concat())?;
    chunk(&mut out, b"IDAT", &dots.finish()?)?;
    chunk(&mut out, b"IEND", &[])?;
    Ok(out)
}

/// A row of dots: no filter, then eight dots a byte, white as ones.
fn row(code: &QRCode, y: usize, side: usize) -> Vec<u8> {
    let mut row = vec![0xff; 1 + side.div_ceil(8)];
    row[0] = 0;
    for dot in 0..side {
        if is_dark(code, dot / DOTS, y) {
            row[1 + dot / 8] &= !(0x80 >> (dot % 8));
        }
    }
    row
}

/// True for a dark module; the margin is counted.
fn is_dark(code: &QRCode, x: usize, y: usize) -> bool {
    let inside = |at: usize| at.checked_sub(MARGIN).filter(|at| *at < code.size);
    matches!((inside(x), inside(y)), (Some(x), Some(y)) if code[y][x].value())
}

fn chunk(out: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) -> io::Result<()> {
    out.extend(u32::try_from(data.len()).map_err(io::Error::other)?.to_be_bytes());
    let mut sum = crc32fast::Hasher::new();
    for part in [&kind[..], data] {
        sum.update(part);
        out.extend(part);
    }
    out.extend(sum.finalize().to_be_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::{DOTS, MARGIN, is_dark, png, svg};

    #[test]
    fn a_qr_code_is_plain_svg() {
        let svg_of_link = svg("https://example.com/r/K7M-4XP-D2CW", 1);
        assert!(svg_of_link.starts_with("<svg") && svg_of_link.ends_with("</svg>"), "{svg_of_link}");
        for part in ["style=", "<script", "<image"] {
            assert!(!svg_of_link.contains(part), "{part}: {svg_of_link}");
        }
        assert_eq!(svg(&"x".repeat(5_000), 1), "");
    }

    #[test]
    fn a_png_has_the_same_modules() {
        let text = "https://example.com/r/K7M-4XP-D2CW";
        let file = png(text).unwrap();
        assert_eq!((&file[..8], &file[12..16]), (&b"\x89PNG\r\n\x1a\n"[..], &b"IHDR"[..]));
        let code = fast_qr::QRBuilder::new(text).ecl(fast_qr::ECL::M).build().unwrap();
        let side = u32::from_be_bytes(file[16..20].try_into().unwrap()) as usize;
        assert_eq!(side, (code.size + 2 * MARGIN) * DOTS);
        let length = u32::from_be_bytes(file[33..37].try_into().unwrap()) as usize;
        let mut dots = Vec::new();
        flate2::read::ZlibDecoder::new(&file[41..41 + length]).read_to_end(&mut dots).unwrap();
        let width = 1 + side.div_ceil(8);
        assert_eq!(dots.len(), width * side);
        for (x, y) in (0..side).flat_map(|y| (0..side).map(move |x| (x, y))) {
            let white = dots[y * width + 1 + x / 8] & (0x80 >> (x % 8)) != 0;
            assert_eq!(white, !is_dark(&code, x / DOTS, y / DOTS), "{x} {y}");
        }
        assert!(png(&"x".repeat(5_000)).unwrap().is_empty());
    }
}
