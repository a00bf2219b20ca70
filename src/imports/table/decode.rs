//! Turns the file's bytes into UTF-8: the encoding as the first 64 KiB show it, then a decoder that never
//! holds more than two buffers.
//!
//! Undecodable bytes come out as the single byte [`UNDECODABLE`], which UTF-8 never uses, so that the
//! splitter can tell them from a real U+FFFD.

use std::io::{self, Read};
use std::ops::Range;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::error::{Lookalike, TableError};

/// Marks undecodable bytes in the decoded text.
pub(super) const UNDECODABLE: u8 = 0xFF;

const HEAD_BYTES: usize = 64 << 10;
const OUT_BYTES: usize = 64 << 10;

/// The first bytes of the file.
pub(super) struct Head {
    bytes: Vec<u8>,
    whole_file: bool,
}

/// The facts of the head.
pub(super) struct Detected {
    encoding: &'static Encoding,
    bom_bytes: usize,
    pub(super) guessed: bool,
}

impl Head {
    pub(super) fn read(reader: &mut impl Read, max_bytes: u64) -> Result<Head, TableError> {
        let mut bytes = Vec::with_capacity(HEAD_BYTES);
        reader.take(HEAD_BYTES as u64).read_to_end(&mut bytes).map_err(TableError::Read)?;
        if bytes.len() as u64 > max_bytes {
            return Err(TableError::TooManyBytes { limit: max_bytes });
        }
        let whole_file = bytes.len() < HEAD_BYTES;
        Ok(Head { bytes, whole_file })
    }

    pub(super) fn is_whole_file(&self) -> bool {
        self.whole_file
    }

    pub(super) fn detect(&self, chosen: Option<&str>) -> Result<Detected, TableError> {
        let bytes = self.bytes.as_slice();
        if bytes.is_empty() {
            return Err(TableError::Empty);
        }
        if let Some(kind) = lookalike(bytes) {
            return Err(TableError::NotText(kind));
        }
        if bytes.starts_with(&[0xFF, 0xFE, 0, 0]) || bytes.starts_with(&[0, 0, 0xFE, 0xFF]) {
            return Err(TableError::Binary); // UTF-32, which nothing reads any more
        }
        let chosen = match chosen {
            Some(label) => Some(
                Encoding::for_label_no_replacement(label.as_bytes())
                    .ok_or_else(|| TableError::UnknownChoice(label.to_owned()))?,
            ),
            None => None,
        };
        let (encoding, bom_bytes, guessed) = if let Some((encoding, bom_bytes)) = Encoding::for_bom(bytes) {
            (encoding, bom_bytes, false)
        } else if let Some(encoding) = chosen {
            (encoding, 0, false)
        } else if let Some(encoding) = utf16_by_its_nuls(bytes) {
            (encoding, 0, false)
        } else {
            match Utf8Look::at(bytes, self.whole_file) {
                Utf8Look { broken: 0, .. } => (UTF_8, 0, false),
                look if look.is_utf8_with_damage() => (UTF_8, 0, true),
                _ => (self.guess(), 0, true),
            }
        };
        let utf16 = encoding == UTF_16LE || encoding == UTF_16BE;
        if !utf16 && bytes.contains(&0) {
            return Err(TableError::Binary);
        }
        Ok(Detected { encoding, bom_bytes, guessed })
    }

    fn guess(&self) -> &'static Encoding {
        // ISO-2022-JP is denied because an ASCII file can pose as it.
        let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
        detector.feed(&self.bytes, self.whole_file);
        detector.guess(None, Utf8Detection::Deny)
    }

    /// The head itself as text, to look at before the file is read for good.
    pub(super) fn text(&self, detected: &Detected) -> Result<Vec<u8>, TableError> {
        let copy = Head { bytes: self.bytes.clone(), whole_file: self.whole_file };
        let mut text = Text::new(copy, io::empty(), detected, u64::MAX);
        let mut all = Vec::new();
        loop {
            let bytes = text.fill()?;
            if bytes.is_empty() {
                return Ok(all);
            }
            let used = bytes.len();
            all.extend_from_slice(bytes);
            text.consume(used);
        }
    }
}

/// The whole file as UTF-8, one buffer at a time.
pub(super) struct Text<R> {
    reader: R,
    decoder: Decoder,
    raw: Vec<u8>,
    raw_left: Range<usize>,
    out: Vec<u8>,
    out_left: Range<usize>,
    bytes_read: u64,
    max_bytes: u64,
    at_end: bool,
    decoded_all: bool,
}

impl<R: Read> Text<R> {
    /// `reader` continues where `head` ends.
    pub(super) fn new(head: Head, reader: R, detected: &Detected, max_bytes: u64) -> Text<R> {
        let Head { mut bytes, whole_file } = head;
        let length = bytes.len();
        bytes.resize(HEAD_BYTES, 0);
        Text {
            reader,
            decoder: detected.encoding.new_decoder_without_bom_handling(),
            raw: bytes,
            raw_left: detected.bom_bytes..length,
            out: vec![0; OUT_BYTES],
            out_left: 0..0,
            bytes_read: length as u64,
            max_bytes,
            at_end: whole_file,
            decoded_all: false,
        }
    }

    pub(super) fn encoding(&self) -> &'static str {
        self.decoder.encoding().name()
    }

    /// The next decoded bytes; none are left when it is empty.
    pub(super) fn fill(&mut self) -> Result<&[u8], TableError> {
        while self.out_left.is_empty() && !self.decoded_all {
            if self.raw_left.is_empty() && !self.at_end {
                self.read_more()?;
            }
            // One byte stays free for the mark.
            let (out, raw) = (&mut self.out[..OUT_BYTES - 1], &self.raw[self.raw_left.clone()]);
            let (result, used, mut written) = self.decoder.decode_to_utf8_without_replacement(raw, out, self.at_end);
            self.raw_left.start += used;
            match result {
                DecoderResult::InputEmpty => self.decoded_all = self.at_end,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => {
                    self.out[written] = UNDECODABLE;
                    written += 1;
                }
            }
            self.out_left = 0..written;
        }
        Ok(&self.out[self.out_left.clone()])
    }

    pub(super) fn consume(&mut self, bytes: usize) {
        self.out_left.start += bytes;
    }

    fn read_more(&mut self) -> Result<(), TableError> {
        let length = loop {
            match self.reader.read(&mut self.raw) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result.map_err(TableError::Read)?,
            }
        };
        self.bytes_read += length as u64;
        if self.bytes_read > self.max_bytes {
            return Err(TableError::TooManyBytes { limit: self.max_bytes });
        }
        self.raw_left = 0..length;
        self.at_end = length == 0;
        Ok(())
    }
}

fn lookalike(bytes: &[u8]) -> Option<Lookalike> {
    let has = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    match bytes {
        [b'P', b'K', 3, 4, ..] if has("opendocument") => Some(Lookalike::OpenDocument),
        [b'P', b'K', 3, 4, ..] if has("xl/") || has("[Content_Types].xml") => Some(Lookalike::Excel),
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Some(Lookalike::Zip),
        [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1, ..] => Some(Lookalike::OldExcel),
        [0x1F, 0x8B, ..] => Some(Lookalike::Gzip),
        [b'%', b'P', b'D', b'F', b'-', ..] => Some(Lookalike::Pdf),
        _ => None,
    }
}

/// UTF-16 without a mark. In every alphabet (not in Chinese or Japanese) the high byte of a character is below 16, which
/// single-byte text hardly ever has; and separators have it NUL.
fn utf16_by_its_nuls(bytes: &[u8]) -> Option<&'static Encoding> {
    let looks = |high: usize, low: usize| {
        let (mut pairs, mut small, mut nul_high, mut nul_low) = (0, 0, 0, 0);
        for pair in bytes.chunks_exact(2) {
            pairs += 1;
            small += usize::from(pair[high] < 16 && !matches!(pair[high], b'\t' | b'\n' | b'\r'));
            nul_high += usize::from(pair[high] == 0);
            nul_low += usize::from(pair[low] == 0);
        }
        nul_high > 0 && small * 2 > pairs && nul_low * 8 < nul_high
    };
    match () {
        () if looks(1, 0) => Some(UTF_16LE),
        () if looks(0, 1) => Some(UTF_16BE),
        () => None,
    }
}

/// The length of the valid UTF-8 at the start.
struct Utf8Look {
    non_ascii: usize,
    broken: usize,
}

impl Utf8Look {
    fn at(bytes: &[u8], whole_file: bool) -> Utf8Look {
        let mut look = Utf8Look { non_ascii: 0, broken: 0 };
        for chunk in bytes.utf8_chunks() {
            look.non_ascii += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
            look.broken += usize::from(!chunk.invalid().is_empty());
        }
        // A character cut in two by the end of the head is not broken.
        let cut = matches!(std::str::from_utf8(bytes), Err(error) if error.error_len().is_none());
        if cut && !whole_file {
            look.broken = 0;
        }
        look
    }

    /// Other encodings hardly ever form a UTF-8 sequence by chance. Guessing windows-1252 for a UTF-8 file because of
    /// one damaged row would garble all the others.
    fn is_utf8_with_damage(&self) -> bool {
        self.non_ascii > 4 * self.broken
    }
}
