//! Whatever is in the file: nothing panics, everything ends, and what we write we read.

use encoding_rs::UTF_16LE;
use proptest::prelude::*;

use super::bytes::encode;
use super::*;

/// Text made of what matters to a CSV reader, in the encoding of the day.
fn torture() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => proptest::sample::select(vec![
            "\"", "\"\"", ",", ";", "\t", "|", "\r", "\n", "\r\n", "a", "Email", "a@x.com", "é", "山", "\u{FEFF}", "sep=;", " ", "12",
        ]).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..4),
    ];
    let utf8 = proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat());
    let wide = ".{0,60}".prop_map(|text: String| encode(&text, UTF_16LE, text.len().is_multiple_of(2)));
    prop_oneof![5 => utf8, 1 => wide, 1 => proptest::collection::vec(any::<u8>(), 0..300)]
}

fn outcome<R: Read>(reader: R, limits: &Limits, choices: &Choices) -> (Vec<Line>, Option<String>) {
    let mut lines = Vec::new();
    match Table::open_with(reader, limits, choices) {
        Err(error) => (lines, Some(error.to_string())),
        Ok(table) => {
            let width = table.columns().len();
            for line in table {
                match line {
                    Ok(line) => lines.push(line),
                    Err(error) => return (lines, Some(error.to_string())),
                }
            }
            for line in &lines {
                if let Line::Row(row) = line {
                    assert_eq!(row.cells.len(), width);
                }
            }
            (lines, None)
        }
    }
}

fn choices() -> impl Strategy<Value = Choices> {
    let encoding = proptest::option::of(proptest::sample::select(vec![
        "utf-8",
        "windows-1252",
        "shift_jis",
        "gb18030",
        "iso-2022-jp",
        "utf-16be",
    ]));
    (encoding, proptest::option::of(proptest::sample::select(DELIMITERS.to_vec())), any::<Option<bool>>())
        .prop_map(|(encoding, delimiter, header)| Choices { encoding: encoding.map(str::to_owned), delimiter, header })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_end_without_a_panic_however_they_are_cut(bytes in torture(), choices in choices()) {
        let small = Limits { max_bytes: 250, max_rows: 20, max_cell_chars: 8, max_columns: 5 };
        for limits in [small, Limits::default()] {
            let whole = outcome(bytes.as_slice(), &limits, &choices);
            prop_assert!(whole.0.len() <= bytes.len() + 1);
            for line in &whole.0 {
                let (Line::Row(Row { cells, .. }) | Line::Bad(BadRow { cells, .. })) = line;
                prop_assert!(cells.len() <= limits.max_columns);
                prop_assert!(cells.iter().all(|cell| cell.chars().count() <= limits.max_cell_chars));
            }
            prop_assert_eq!(outcome(Drip(&bytes), &limits, &choices), whole);
        }
    }

    #[test]
    fn what_was_written_is_read(
        cells in proptest::collection::vec(proptest::collection::vec("([a-zé🙂,;|\t\"' =+@\r\n\u{FEFF}-]|[^\0]){0,12}", 3), 1..8),
    ) {
        let mut file = Vec::new();
        write_csv_row(&mut file, &["Name", "Email", "Request"]).unwrap();
        for row in &cells {
            let row: Vec<&str> = row.iter().map(String::as_str).collect();
            write_csv_row(&mut file, &row).unwrap();
        }
        let written: Vec<Vec<String>> = cells.into_iter().filter(|row| row.iter().any(|cell| !cell.trim().is_empty())).collect();
        let read: Vec<Vec<String>> = rows(open(&file)).into_iter().map(|(_, cells)| cells).collect();
        prop_assert_eq!(read, written);
    }

    #[test]
    fn the_splitter_agrees_with_the_csv_crate(text in "([a-z ,\"\r\n]|,\"|\",|\"\"|\r\n|é){0,80}") {
        let file = format!("h1,h2\n{text}");
        let reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(file.as_bytes());
        let expected: Vec<Vec<String>> = reader
            .into_records()
            .map(|record| record.unwrap().iter().map(str::to_owned).collect::<Vec<_>>())
            .filter(|cells| cells.iter().any(|cell| !cell.trim().is_empty()))
            .collect();
        let mut splitter = Splitter::new(b',', &Limits::default());
        let (mut rest, mut found) = (file.as_bytes(), Vec::new());
        loop {
            let (used, record) = splitter.push(rest);
            rest = &rest[used..];
            let last = record.is_none();
            found.extend(record.or_else(|| splitter.finish()).filter(|record| record.filled > 0).map(|record| record.cells));
            if last {
                break;
            }
        }
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn a_row_is_where_its_line_number_says(names in proptest::collection::vec("[a-z]{1,5}((\r\n|\r|\n)[a-z]{1,3}){0,3}", 1..20), blank in 0..3_usize) {
        let mut file = "Name,Code\r".to_owned();
        for name in &names {
            file += &format!("\"{name}\",x\r\n{}", "\n".repeat(blank));
        }
        let lines: Vec<String> = file.replace("\r\n", "\n").replace('\r', "\n").split('\n').map(str::to_owned).collect();
        for (line, cells) in rows(open(&file)) {
            let first = cells[0].split(['\r', '\n']).next().unwrap();
            let shown = lines[line as usize - 1].strip_prefix('"').unwrap();
            prop_assert!(shown.starts_with(first));
        }
    }

    #[test]
    fn a_sanitised_cell_never_begins_like_a_formula(cell in "[=+@\t\r\n\0 ;\"'0-9a-z-]{0,8}") {
        let safe = sanitise_for_spreadsheet(&cell);
        prop_assert!(safe == cell || safe.strip_prefix('\'') == Some(cell.as_str()));
        let phone = safe.strip_prefix('+').is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || c == ' '));
        prop_assert!(phone || !safe.trim_start_matches([' ', ';', '"']).starts_with(['=', '+', '-', '@', '\t', '\r']));
        prop_assert_eq!(as_it_was(&safe), cell);
    }
}
