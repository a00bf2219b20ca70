//! From bytes to text: encodings, damage, and files that are no text at all.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::*;

#[test]
fn every_encoding_with_every_delimiter_and_line_end() {
    let people = [
        ("windows-1252", "Zoë Müller", "Straße, Ålesund; Besançon | déjà vu à l’été"),
        ("windows-1250", "Łukasz Żółć", "Wrocław, Święty Krzyż; ąęśćźż | Dziękuję bardzo, proszę państwa"),
        ("windows-1251", "Иван Петров", "Москва, улица; Пушкина | дом восемь, квартира"),
        ("KOI8-U", "Иван Петров", "Москва, улица; Пушкина | дом восемь, квартира"),
        ("windows-1253", "Γιώργος Παπαδόπουλος", "Αθήνα, οδός; Ερμού | καλημέρα σας, ευχαριστώ πολύ"),
        ("windows-1254", "Gökçe Yıldız", "İstanbul, Şişli; Beşiktaş | çok teşekkür ederim, görüşürüz"),
        ("Shift_JIS", "山田 太郎", "東京都, 渋谷区; ありがとうございます | よろしくお願いします"),
        ("GBK", "王小明", "北京市, 朝阳区; 谢谢你的帮助 | 我们明天见面吧"),
        ("EUC-KR", "김철수", "서울특별시, 강남구; 감사합니다 | 안녕하세요 반갑습니다"),
        ("Big5", "陳大文", "台北市, 信義區; 謝謝您的幫助 | 我們明天見面吧"),
        ("UTF-8", "Zoë Łukasz Иван 山田 🙂", "é, ü; ß | 東京"),
        ("UTF-16LE", "Zoë Łukasz Иван 🙂", "é, ü; ß | Москва"),
        ("UTF-16BE", "Zoë Łukasz Иван 🙂", "é, ü; ß | Москва"),
    ];
    for (label, name, address) in people {
        let encoding = Encoding::for_label(label.as_bytes()).unwrap();
        for delimiter in DELIMITERS {
            for end in ["\n", "\r\n", "\r"] {
                let mut text = ["Name", "E-mail", "Address"].join(&delimiter.to_string()) + end;
                for n in 0..5 {
                    text += &[name, &format!("p{n}@example.com"), &format!("\"{address} \"\"{n}\"\"{end}\"")]
                        .join(&delimiter.to_string());
                    text += end;
                }
                for bom in [false, true] {
                    let bytes = encode(&text, encoding, bom);
                    let table = open(&bytes);
                    let case = format!("{label} {delimiter:?} {end:?} {bom}");
                    assert_eq!((table.encoding(), table.delimiter()), (encoding.name(), delimiter), "{case}");
                    let unicode = [UTF_8, UTF_16LE, UTF_16BE].contains(&encoding);
                    assert_eq!(table.encoding_is_a_guess(), !unicode, "{case}");
                    let found = rows(table);
                    assert_eq!(found.len(), 5, "{case}");
                    assert_eq!(found[4].1, [name, "p4@example.com", &format!("{address} \"4\"{end}")], "{case}");
                    assert_eq!(found[4].0, 10, "{case}");
                    assert_eq!(rows(Table::open(Drip(&bytes), &Limits::default()).unwrap()), found, "{case}");
                }
            }
        }
    }
}

pub(super) fn encode(text: &str, encoding: &'static Encoding, bom: bool) -> Vec<u8> {
    let marked = if bom { format!("\u{FEFF}{text}") } else { text.to_owned() };
    if encoding == UTF_16LE {
        marked.encode_utf16().flat_map(u16::to_le_bytes).collect()
    } else if encoding == UTF_16BE {
        marked.encode_utf16().flat_map(u16::to_be_bytes).collect()
    } else if encoding == UTF_8 {
        marked.into_bytes()
    } else {
        // Only Unicode has a byte order mark.
        let (bytes, _, unmappable) = encoding.encode(text);
        assert!(!unmappable, "{} cannot write the test", encoding.name());
        bytes.into_owned()
    }
}

#[test]
fn a_person_may_choose_what_was_guessed_wrong() {
    let bytes = b"Kunde;Ort\rJos\x8e;Genf\r"; // é of an old Macintosh
    let choices = Choices { encoding: Some("macintosh".into()), delimiter: Some(';'), header: Some(false) };
    let table = Table::open_with(&bytes[..], &Limits::default(), &choices).unwrap();
    assert!(!table.encoding_is_a_guess());
    assert_eq!((table.encoding(), table.header()), ("macintosh", None));
    assert_eq!(rows(table)[1], (2, vec!["José".into(), "Genf".into()]));
    let unknown = Choices { encoding: Some("klingon".into()), ..Choices::default() };
    assert!(matches!(Table::open_with(&bytes[..], &Limits::default(), &unknown), Err(TableError::UnknownChoice(_))));
    let unknown = Choices { delimiter: Some('"'), ..Choices::default() };
    assert!(matches!(Table::open_with(&bytes[..], &Limits::default(), &unknown), Err(TableError::UnknownChoice(_))));
}

#[test]
fn a_bad_row_does_not_harm_its_neighbours() {
    let table = open([b"Name,Email\nZo\xc3\xab,z@x.com\nM\xc3\xbcller,m@x.com\n\xc3\x89ve,e@x.com\n\xc5\x81uk,l@x.com\n\xc5\xbb,q@x.com\nJos\xe9,j@x.com\nBob,b@x.com\n".as_slice()].concat());
    assert_eq!((table.encoding(), table.encoding_is_a_guess()), ("UTF-8", true));
    assert_eq!(table.sample().len(), 6);
    assert_eq!(bad_rows(table), [(7, BadReason::Undecodable { encoding: "UTF-8" })]);

    let half_a_surrogate =
        [encode("Name,Email\nA,", UTF_16LE, true), vec![0x00, 0xD8], encode("\n\u{0},x\nB,b@x.com\n", UTF_16LE, false)]
            .concat();
    let bad = bad_rows(open(half_a_surrogate));
    assert_eq!(bad, [(2, BadReason::Undecodable { encoding: "UTF-16LE" }), (3, BadReason::Nul)]);

    let odd = [encode("Name\nA\n", UTF_16LE, true), vec![b'B']].concat();
    assert_eq!(bad_rows(open(odd)), [(3, BadReason::Undecodable { encoding: "UTF-16LE" })]);

    let replacement = rows(open("Name\n\u{FFFD}\n"));
    assert_eq!(replacement[0].1, ["\u{FFFD}"], "a replacement character that is in the file is text");

    let mut late = b"Name,Email\n".to_vec();
    late.extend("Jane,j@x.com\n".repeat(10_000).bytes());
    late.extend(b"Jos\xe9,x@x.com\nNu\0l,x@x.com\n");
    assert_eq!(
        bad_rows(open(late)),
        [(10_002, BadReason::Undecodable { encoding: "UTF-8" }), (10_003, BadReason::Nul)]
    );
}

#[test]
fn what_is_no_text_table_is_refused_by_name() {
    assert!(matches!(refused(""), TableError::Empty));
    assert!(matches!(refused("\u{FEFF}"), TableError::Empty));
    assert!(matches!(refused("\r\n\n , ,\n \r"), TableError::Empty));
    assert!(matches!(refused(b"\xff\xfe"), TableError::Empty));
    assert!(matches!(refused("a,b\n1,\0\n"), TableError::Binary));
    assert!(matches!(refused(b"\x7fELF\x02\x01\x01\0\0\0\0\0"), TableError::Binary));
    assert!(matches!(refused(b"\xff\xfe\0\0a\0\0\0"), TableError::Binary));
    for (bytes, kind) in [
        (b"PK\x03\x04\x14\0\x06\0[Content_Types].xml".as_slice(), Lookalike::Excel),
        (b"PK\x03\x04\x14\0\0\0mimetypeapplication/vnd.oasis.opendocument.spreadsheet", Lookalike::OpenDocument),
        (b"PK\x03\x04\x14\0list.csv", Lookalike::Zip),
        (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", Lookalike::OldExcel),
        (b"\x1f\x8b\x08\0", Lookalike::Gzip),
        (b"%PDF-1.7\n", Lookalike::Pdf),
    ] {
        assert!(matches!(refused(bytes), TableError::NotText(found) if found == kind), "{kind:?}");
    }
    assert_eq!(
        refused(b"PK\x03\x04xl/workbook.xml").to_string(),
        "This is an Excel file; save it as CSV and upload that."
    );
}
