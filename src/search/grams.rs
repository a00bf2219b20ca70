//! The contents of a segment: the grams (three characters in a row) of each of its rows. Rows are counted
//! from 0 in the order in which they were made. Pure: bytes in, bytes out.

use std::collections::HashMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD as BASE64;

/// Bytes of a block: one row of the database, small enough for two of them in a page.
const BLOCK: usize = 1_400;
/// The distance in rows between two marks of the time at which a row was made.
pub const MARK: usize = 256;

/// Three characters as one number; their order is that of the text.
fn gram(a: char, b: char, c: char) -> i64 {
    i64::from(u32::from(a)) << 42 | i64::from(u32::from(b)) << 21 | i64::from(u32::from(c))
}

/// The grams of a text, as they follow each other.
pub fn grams(text: &str) -> impl Iterator<Item = i64> {
    text.chars().zip(text.chars().skip(1)).zip(text.chars().skip(2)).map(|((a, b), c)| gram(a, b, c))
}

fn put(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push((n & 0x7f) as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut n = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        n |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(n);
        }
    }
    None
}

/// Numbers in any order as text.
pub fn numbers_to_text(numbers: impl IntoIterator<Item = i64>) -> String {
    let (mut out, mut last) = (Vec::new(), 0_i64);
    for n in numbers {
        let step = n.wrapping_sub(last);
        put(&mut out, (step << 1 ^ step >> 63) as u64);
        last = n;
    }
    BASE64.encode(out)
}

/// Undoes [`numbers_to_text`]; what is broken ends the list.
pub fn numbers_of_text(text: &str) -> Vec<i64> {
    let bytes = BASE64.decode(text).unwrap_or_default();
    let (mut left, mut last, mut out) = (bytes.as_slice(), 0_i64, Vec::new());
    while let Some(n) = take(&mut left) {
        last = last.wrapping_add((n >> 1) as i64 ^ -((n & 1) as i64));
        out.push(last);
    }
    out
}

/// The ids of a segment's rows as text: a piece for every [`MARK`] rows, so that a few are read without the others.
pub fn ids_to_text(ids: &[i64]) -> String {
    ids.chunks(MARK).map(|some| numbers_to_text(some.iter().copied())).collect::<Vec<_>>().join(" ")
}

/// Undoes [`ids_to_text`].
pub fn ids_of_text(text: &str) -> Vec<i64> {
    text.split(' ').flat_map(numbers_of_text).collect()
}

/// The ids of a segment's rows, read piece by piece on demand.
#[derive(Debug, Default)]
pub struct Ids {
    text: String,
    /// The offsets of the pieces.
    pieces: Vec<(usize, usize)>,
    /// The one that was read last.
    read: Option<(usize, Vec<i64>)>,
}

impl Ids {
    pub fn new(text: String) -> Self {
        let mut at = 0;
        let piece = |piece: &str| {
            let from = at;
            at += piece.len() + 1;
            (from, from + piece.len())
        };
        Self { pieces: text.split(' ').map(piece).collect(), text, read: None }
    }

    pub fn get(&mut self, row: usize) -> Option<i64> {
        // Segments of the first version are one piece.
        let (piece, at) = if self.pieces.len() > 1 { (row / MARK, row % MARK) } else { (0, row) };
        if self.read.as_ref().is_none_or(|(read, _)| *read != piece) {
            let (from, to) = *self.pieces.get(piece)?;
            self.read = Some((piece, numbers_of_text(self.text.get(from..to)?)));
        }
        self.read.as_ref()?.1.get(at).copied()
    }
}

/// Some rows of a segment, a bit each.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rows(Vec<u64>);

impl Rows {
    pub fn none(size: usize) -> Self {
        Self(vec![0; size.div_ceil(64)])
    }

    fn add(&mut self, row: usize) {
        if let Some(word) = self.0.get_mut(row / 64) {
            *word |= 1 << (row % 64);
        }
    }

    pub fn and(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word &= other);
    }

    pub fn or(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word |= other);
    }

    pub fn has(&self, row: usize) -> bool {
        self.0.get(row / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    pub fn count(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// The first row from this one on.
    pub fn next(&self, from: usize) -> Option<usize> {
        let first = self.0.get(from / 64)? & (u64::MAX << (from % 64));
        let rest = self.0.iter().enumerate().skip(from / 64 + 1).map(|(at, word)| (at, *word));
        let (at, word) = std::iter::once((from / 64, first)).chain(rest).find(|(_, word)| *word != 0)?;
        Some(at * 64 + word.trailing_zeros() as usize)
    }

    /// The last row before this one.
    pub fn before(&self, end: usize) -> Option<usize> {
        let end = end.min(self.0.len() * 64);
        let last = self.0.get(end / 64).map_or(0, |word| word & !(u64::MAX << (end % 64)));
        let rest = self.0.iter().enumerate().take(end / 64).rev().map(|(at, word)| (at, *word));
        let (at, word) = std::iter::once((end / 64, last)).chain(rest).find(|(_, word)| *word != 0)?;
        Some(at * 64 + 63 - word.leading_zeros() as usize)
    }
}

/// The rows of one gram, being written: distances from row to row.
#[derive(Default)]
struct Postings {
    rows: usize,
    next: usize,
    bytes: Vec<u8>,
}

/// A segment being written.
#[derive(Default)]
pub struct Builder {
    grams: HashMap<i64, Postings>,
    size: usize,
}

/// A run of grams as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    pub gram: i64,
    pub body: String,
}

impl Builder {
    /// Adds the next row.
    pub fn add(&mut self, text: &str) {
        let row = self.size;
        for gram in grams(text) {
            let postings = self.grams.entry(gram).or_default();
            if postings.rows == 0 || postings.next <= row {
                put(&mut postings.bytes, (row - postings.next) as u64);
                postings.next = row + 1;
                postings.rows += 1;
            }
        }
        self.size += 1;
    }

    pub fn blocks(self) -> Vec<Block> {
        let mut grams: Vec<(i64, Postings)> = self.grams.into_iter().collect();
        grams.sort_unstable_by_key(|(gram, _)| *gram);
        let (mut blocks, mut body, mut first, mut last) = (Vec::new(), Vec::new(), 0, 0);
        for (gram, postings) in grams {
            if body.is_empty() {
                (first, last) = (gram, 0);
            }
            put(&mut body, (gram - last) as u64);
            last = gram;
            let whole = self.size.div_ceil(8);
            let dense = postings.bytes.len() > whole;
            put(&mut body, (postings.bytes.len() as u64) << 1 | u64::from(dense));
            body.extend(if dense { bits(&postings.bytes, whole) } else { postings.bytes });
            if body.len() >= BLOCK {
                blocks.push(Block { gram: first, body: BASE64.encode(&body) });
                body.clear();
            }
        }
        if !body.is_empty() {
            blocks.push(Block { gram: first, body: BASE64.encode(&body) });
        }
        blocks
    }
}

fn bits(distances: &[u8], whole: usize) -> Vec<u8> {
    let (mut out, mut left, mut row) = (vec![0; whole], distances, 0_usize);
    while let Some(distance) = take(&mut left) {
        row = row.saturating_add(usize::try_from(distance).unwrap_or(usize::MAX));
        if let Some(byte) = out.get_mut(row / 8) {
            *byte |= 1 << (row % 8);
        }
        row += 1;
    }
    out
}

/// A block as it is read: its bytes, and the place of each gram in them.
#[derive(Debug, Default)]
pub struct Opened {
    bytes: Vec<u8>,
    size: usize,
    places: Vec<Stretch>,
}

/// The rows of one gram: a stretch of the block's bytes.
#[derive(Debug)]
struct Stretch {
    gram: i64,
    from: usize,
    to: usize,
    dense: bool,
}

impl Opened {
    /// Opens a block of a segment of so many rows; what is broken ends it.
    pub fn of(body: &str, size: usize) -> Self {
        let bytes = BASE64.decode(body).unwrap_or_default();
        let (mut left, mut gram, mut places) = (bytes.as_slice(), 0_i64, Vec::new());
        while let (Some(step), Some(length)) = (take(&mut left), take(&mut left)) {
            gram = gram.wrapping_add(step as i64);
            let dense = length & 1 == 1;
            let length = if dense { size.div_ceil(8) } else { (length >> 1) as usize };
            let from = bytes.len() - left.len();
            let Some((_, rest)) = left.split_at_checked(length) else { break };
            left = rest;
            places.push(Stretch { gram, from, to: from + length, dense });
        }
        Self { bytes, size, places }
    }

    /// The rows of a gram; `None` where no row has it.
    pub fn rows(&self, gram: i64) -> Option<Rows> {
        let at = self.places.binary_search_by_key(&gram, |place| place.gram).ok()?;
        self.places.get(at).map(|place| self.read(place))
    }

    /// Every gram with its rows.
    pub fn all(&self) -> impl Iterator<Item = (i64, Rows)> {
        self.places.iter().map(|place| (place.gram, self.read(place)))
    }

    fn read(&self, place: &Stretch) -> Rows {
        let bytes = self.bytes.get(place.from..place.to).unwrap_or_default();
        if place.dense { of_bits(bytes, self.size) } else { of_distances(bytes, self.size) }
    }
}

fn of_bits(bytes: &[u8], size: usize) -> Rows {
    let mut rows = Rows::none(size);
    for (word, chunk) in rows.0.iter_mut().zip(bytes.chunks(8)) {
        let mut eight = [0; 8];
        eight.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
        *word = u64::from_le_bytes(eight);
    }
    rows
}

fn of_distances(mut bytes: &[u8], size: usize) -> Rows {
    let (mut rows, mut row) = (Rows::none(size), 0_usize);
    while let Some(distance) = take(&mut bytes) {
        row = row.saturating_add(usize::try_from(distance).unwrap_or(usize::MAX));
        rows.add(row);
        row = row.saturating_add(1);
    }
    rows
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn built(texts: &[String]) -> Vec<Block> {
        let mut builder = Builder::default();
        texts.iter().for_each(|text| builder.add(text));
        builder.blocks()
    }

    fn found(blocks: &[Block], size: usize, gram: i64) -> Rows {
        let block = blocks.iter().rev().find(|block| block.gram <= gram);
        block.and_then(|block| Opened::of(&block.body, size).rows(gram)).unwrap_or_else(|| Rows::none(size))
    }

    #[test]
    fn a_gram_is_any_three_characters() {
        assert_eq!(grams("ab").count(), 0);
        assert_eq!(grams("äöü").count(), 1);
        assert!(grams("abc").next() < grams("abd").next());
        assert!(grams("\u{10FFFF}\u{10FFFF}\u{10FFFF}").all(|gram| gram > 0));
    }

    #[test]
    fn what_every_row_has_takes_a_bit_a_row() {
        let texts: Vec<String> = (0..4_000).map(|n| format!("same {n}")).collect();
        let blocks = built(&texts);
        let gram = grams("same").next().unwrap();
        assert_eq!(found(&blocks, texts.len(), gram).count(), 4_000);
        let bytes: usize = blocks.iter().map(|block| block.body.len()).sum();
        assert!(bytes < 40_000, "{bytes} bytes");
    }

    proptest! {
        #[test]
        fn every_gram_is_found_in_exactly_its_rows(texts in proptest::collection::vec("[a-c ]{0,12}|.{0,20}", 1..300)) {
            let blocks = built(&texts);
            prop_assert!(blocks.is_sorted_by(|a, b| a.gram < b.gram));
            let all: std::collections::BTreeSet<i64> = texts.iter().flat_map(|text| grams(text)).collect();
            for gram in all {
                let rows = found(&blocks, texts.len(), gram);
                for (row, text) in texts.iter().enumerate() {
                    prop_assert_eq!(rows.has(row), grams(text).any(|g| g == gram));
                }
            }
            // One past the last gram that any text can have.
            prop_assert_eq!(found(&blocks, texts.len(), i64::MAX).count(), 0);
        }

        #[test]
        fn numbers_come_back(numbers in proptest::collection::vec(any::<i64>(), 0..50)) {
            prop_assert_eq!(numbers_of_text(&numbers_to_text(numbers.clone())), numbers);
        }

        #[test]
        fn ids_are_read_one_by_one(ids in proptest::collection::vec(0..i64::MAX, 0..700)) {
            let text = ids_to_text(&ids);
            prop_assert_eq!(ids_of_text(&text), ids.clone());
            for text in [text, numbers_to_text(ids.clone())] {
                let mut read = Ids::new(text);
                for (row, id) in ids.iter().enumerate().rev() {
                    prop_assert_eq!(read.get(row), Some(*id));
                }
                prop_assert_eq!(read.get(ids.len()), None);
            }
        }

        #[test]
        fn rows_are_met_in_both_directions(set in proptest::collection::btree_set(0_usize..300, 0..60)) {
            let mut rows = Rows::none(300);
            set.iter().for_each(|row| rows.add(*row));
            for at in 0..400 {
                prop_assert_eq!(rows.next(at), set.range(at..).next().copied());
                prop_assert_eq!(rows.before(at), set.range(..at).next_back().copied());
            }
        }

        #[test]
        fn a_broken_block_is_no_panic(body in ".{0,60}", size in 0_usize..200) {
            Opened::of(&BASE64.encode(&body), size).all().for_each(drop);
            numbers_of_text(&body);
        }
    }
}
