//! The texts of a PDF, as a program that copies them out of it gets them: by the fonts' own tables of characters.

use std::collections::HashMap;
use std::io::Read;

use flate2::read::ZlibDecoder;

type Objects = HashMap<u32, Vec<u8>>;

/// A document by its parts.
pub struct Pdf {
    /// The texts of each page, as they are drawn.
    pub pages: Vec<Vec<String>>,
    /// The roles of the parts that hold them: how many of each.
    pub roles: HashMap<String, usize>,
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The number behind a name: "/Length 12".
fn number(object: &[u8], name: &str) -> Option<u32> {
    let object = text(object);
    let rest = object.split_once(&format!("{name} "))?.1;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// The references in the array behind a name.
fn numbers(object: &[u8], name: &str) -> Vec<u32> {
    let object = text(object);
    let Some((_, rest)) = object.split_once(&format!("{name} [")) else { return Vec::new() };
    let list = rest.split(']').next().unwrap_or_default();
    list.split(" 0 R").filter_map(|part| part.trim().parse().ok()).collect()
}

/// Every object, its stream unpacked.
fn objects(bytes: &[u8]) -> Objects {
    let mut all = Objects::new();
    let mut at = 0;
    while let Some(head) = find(&bytes[at..], b" 0 obj\n") {
        let start = at + head + 7;
        let name = text(&bytes[at..at + head]);
        let id = name.rsplit(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap();
        let end = start + find(&bytes[start..], b"endobj").expect("an end");
        let stream = find(&bytes[start..end], b"stream\n");
        let (object, next) = match stream {
            None => (bytes[start..end].to_vec(), end),
            Some(stream) => {
                let dictionary = &bytes[start..start + stream];
                let (from, length) = (start + stream + 7, number(dictionary, "/Length").unwrap() as usize);
                let packed = &bytes[from..from + length];
                let mut object = dictionary.to_vec();
                if find(dictionary, b"/FlateDecode").is_some() {
                    ZlibDecoder::new(packed).read_to_end(&mut object).expect("a packed stream");
                } else {
                    object.extend(packed);
                }
                (object, from + length)
            }
        };
        all.insert(id, object);
        at = next;
    }
    all
}

/// Glyph to character.
fn characters(objects: &Objects, font: u32) -> HashMap<u16, char> {
    let table = &objects[&number(&objects[&font], "/ToUnicode").expect("a table of characters")];
    let hex = |word: &str| u32::from_str_radix(word.trim_matches(['<', '>']), 16).ok();
    let table = text(table);
    let pairs = table.lines().filter_map(|line| line.split_once("> <"));
    let pairs = pairs.filter_map(|(glyph, c)| Some((u16::try_from(hex(glyph)?).ok()?, char::from_u32(hex(c)?)?)));
    pairs.collect()
}

/// The bytes of the string that ends before `end`, which is "> Tj" or ") Tj".
fn string(content: &[u8]) -> Vec<u8> {
    if content.last() == Some(&b'>') {
        let from = content.iter().rposition(|b| *b == b'<').expect("a string");
        let hex = text(&content[from + 1..content.len() - 1]);
        return hex.as_bytes().chunks(2).map(|two| u8::from_str_radix(&text(two), 16).unwrap()).collect();
    }
    // The line before it sets the place of the text.
    let from = find(content, b"(").expect("a string") + 1;
    let mut bytes = Vec::new();
    let mut rest = content[from..content.len() - 1].iter().copied();
    while let Some(b) = rest.next() {
        bytes.push(match b {
            b'\\' => match rest.next().expect("an escape") {
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'b' => 8,
                b'f' => 12,
                first @ b'0'..=b'7' => {
                    let two: Vec<u8> = rest.by_ref().take(2).collect();
                    u8::from_str_radix(&text(&[&[first], two.as_slice()].concat()), 8).unwrap()
                }
                other => other,
            },
            other => other,
        });
    }
    bytes
}

impl Pdf {
    pub fn read(bytes: &[u8]) -> Self {
        assert!(bytes.starts_with(b"%PDF-1.7"), "{}", text(&bytes[..bytes.len().min(200)]));
        let objects = objects(bytes);
        let kids =
            objects.values().map(|object| numbers(object, "/Kids")).find(|kids| !kids.is_empty()).expect("pages");
        let resources = text(&objects[&kids[0]]);
        let fonts: HashMap<String, HashMap<u16, char>> = ["/F0", "/F1"]
            .into_iter()
            .map(|name| {
                let font = number(resources.as_bytes(), name).expect("a font");
                (name.to_owned(), characters(&objects, font))
            })
            .collect();
        let page = |id: &u32| {
            let parts = numbers(&objects[id], "/Contents");
            parts.iter().flat_map(|part| shown(&objects[part], &fonts)).collect()
        };
        let mut roles = HashMap::new();
        for object in objects.values().map(|object| text(object)).filter(|object| object.contains("/StructElem")) {
            if let Some((_, role)) = object.split_once("/S /") {
                let role = role.split_whitespace().next().unwrap_or_default().to_owned();
                *roles.entry(role).or_default() += 1;
            }
        }
        Self { pages: kids.iter().map(page).collect(), roles }
    }

    pub fn texts(&self) -> Vec<&str> {
        self.pages.iter().flatten().map(String::as_str).collect()
    }
}

fn shown(content: &[u8], fonts: &HashMap<String, HashMap<u16, char>>) -> Vec<String> {
    let (mut shown, mut at) = (Vec::new(), 0);
    while let Some(end) = find(&content[at..], b" Tj") {
        let run = &content[at..at + end];
        let set = find(run, b" Tf").expect("a font");
        let name = text(&run[..set]);
        let name = &name[name.rfind("/F").expect("a font")..];
        let of_font = &fonts[name.split(' ').next().unwrap()];
        let placed = find(run, b" Tm").expect("a place") + 3;
        let glyphs = string(&run[placed..]);
        let glyphs = glyphs.chunks(2).map(|two| u16::from_be_bytes([two[0], two[1]]));
        shown.push(glyphs.map(|glyph| of_font[&glyph]).collect());
        at += end + 3;
    }
    shown
}
