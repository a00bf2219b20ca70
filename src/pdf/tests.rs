use super::{About, Document, Ink, Style, Tag, Weight, drawn};

const TEXT: Style = Style { weight: Weight::Regular, size: 9.0, ink: Ink::Strong };

fn document() -> Document {
    let about = About {
        title: "A <title> & more".into(),
        author: "Acme".into(),
        language: "en",
        day: (2026, 6, 30),
        id: [7; 16],
    };
    Document::new(about).expect("the fonts are there")
}

fn made(texts: &[&str]) -> Vec<u8> {
    let mut document = document();
    for (at, text) in texts.iter().enumerate() {
        let of = document.element(Document::ROOT, Tag::Paragraph);
        document.text(Some(of), (40.0, 40.0), TEXT, text);
        if at % 100 == 99 {
            document.next_page().expect("a page");
        }
    }
    document.finish((40.0, 500.0), TEXT, |page, of| (String::new(), format!("{page}/{of}"))).expect("a document")
}

#[test]
fn any_text_can_be_drawn() {
    let odd: Vec<String> = (0..0x11_0000_u32).step_by(1_499).filter_map(char::from_u32).map(String::from).collect();
    let odd: Vec<&str> = odd.iter().map(String::as_str).collect();
    let bytes = made(&odd);
    assert!(bytes.starts_with(b"%PDF-1.7") && bytes.ends_with(b"%%EOF"));
    assert_eq!(made(&odd), bytes);
    assert!(made(&[]).starts_with(b"%PDF-1.7"));
}

#[test]
fn a_text_is_broken_to_fit_and_nothing_of_it_is_lost() {
    let document = document();
    for text in ["", "one", "one two three four five six", &"W".repeat(300), "a verylongwordthatdoesnotfitanywhere b"] {
        for width in [1.0, 20.0, 90.0] {
            let lines = document.wrapped(text, TEXT, width);
            let put = |text: &str| text.replace(' ', "");
            assert_eq!(put(&lines.concat()), put(text));
            let fits = |line: &String| document.width(line, TEXT) <= width || line.chars().count() == 1;
            assert!(lines.iter().all(fits), "{lines:?} in {width}");
        }
    }
}

#[test]
fn what_takes_no_place_is_not_drawn() {
    assert_eq!(drawn("a\u{202e}b\u{200d}c\u{ad}\td\ne"), "abc d e");
    assert_eq!(drawn("e\u{301}"), "é");
}
