//! The splitter against RFC 4180 and the csv crate, files as programs write them, and the impossible cases.

use std::io::{self, Read};

use super::*;

mod bytes;
mod properties;
mod write;

/// Gives one byte at a time, so that everything is cut everywhere.
struct Drip<'a>(&'a [u8]);

impl Read for Drip<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let length = self.0.len().min(out.len()).min(1);
        out[..length].copy_from_slice(&self.0[..length]);
        self.0 = &self.0[length..];
        Ok(length)
    }
}

fn open(bytes: impl AsRef<[u8]>) -> Table<io::Cursor<Vec<u8>>> {
    Table::open(io::Cursor::new(bytes.as_ref().to_vec()), &Limits::default()).unwrap()
}

fn refused(bytes: impl AsRef<[u8]>) -> TableError {
    Table::open(bytes.as_ref(), &Limits::default()).err().expect("it should have been refused")
}

fn lines<R: Read>(table: Table<R>) -> Vec<Line> {
    table.map(|line| line.unwrap()).collect()
}

/// Line numbers and cells; panics at a bad row.
fn rows<R: Read>(table: Table<R>) -> Vec<(u64, Vec<String>)> {
    let good = |line| match line {
        Line::Row(row) => (row.line, row.cells),
        Line::Bad(bad) => panic!("line {}: {}", bad.line, bad.reason),
    };
    lines(table).into_iter().map(good).collect()
}

fn bad_rows<R: Read>(table: Table<R>) -> Vec<(u64, BadReason)> {
    let bad = |line| match line {
        Line::Row(_) => None,
        Line::Bad(bad) => Some((bad.line, bad.reason)),
    };
    lines(table).into_iter().filter_map(bad).collect()
}

fn with_header(bytes: &str) -> Table<&[u8]> {
    let choices = Choices { header: Some(true), ..Choices::default() };
    Table::open_with(bytes.as_bytes(), &Limits::default(), &choices).unwrap()
}

#[track_caller]
fn reads(file: &str, header: &[&str], expected: &[(u64, &[&str])]) {
    let table = with_header(file);
    assert_eq!(table.header().unwrap(), header);
    let expected: Vec<(u64, Vec<String>)> =
        expected.iter().map(|(line, cells)| (*line, cells.iter().map(|cell| (*cell).to_owned()).collect())).collect();
    assert_eq!(rows(table), expected, "{file:?}");
}

#[test]
fn the_files_of_csv_spectrum() {
    reads(
        "first,last,address,city,zip\nJohn,Doe,120 any st.,\"Anytown, WW\",08123\n",
        &["first", "last", "address", "city", "zip"],
        &[(2, &["John", "Doe", "120 any st.", "Anytown, WW", "08123"])],
    );
    reads("a,b,c\n1,\"\",\"\"\n2,3,4\n", &["a", "b", "c"], &[(2, &["1", "", ""]), (3, &["2", "3", "4"])]);
    reads("a,b,c\r\n1,\"\",\"\"\r\n2,3,4\r\n", &["a", "b", "c"], &[(2, &["1", "", ""]), (3, &["2", "3", "4"])]);
    reads("a,b\n1,\"ha \"\"ha\"\" ha\"\n3,4\n", &["a", "b"], &[(2, &["1", "ha \"ha\" ha"]), (3, &["3", "4"])]);
    reads(
        "key,val\n1,\"{\"\"type\"\": \"\"Point\"\", \"\"coordinates\"\": [102.0, 0.5]}\"\n",
        &["key", "val"],
        &[(2, &["1", "{\"type\": \"Point\", \"coordinates\": [102.0, 0.5]}"])],
    );
    reads(
        "Longitude,Latitude\n-122.4194,\"37.7749° N, 122\"\n",
        &["Longitude", "Latitude"],
        &[(2, &["-122.4194", "37.7749° N, 122"])],
    );
    reads(
        "a,b,c\n1,2,3\n\"Once upon \na time\",5,6\n7,8,9\n",
        &["a", "b", "c"],
        &[(2, &["1", "2", "3"]), (3, &["Once upon \na time", "5", "6"]), (5, &["7", "8", "9"])],
    );
    reads(
        "a,b,c\r\n1,2,3\r\n\"Once upon \r\na time\",5,6\r\n7,8,9\r\n",
        &["a", "b", "c"],
        &[(2, &["1", "2", "3"]), (3, &["Once upon \r\na time", "5", "6"]), (5, &["7", "8", "9"])],
    );
    reads("a,b\n1,\"ha \n\"\"ha\"\" \nha\"\n3,4\n", &["a", "b"], &[(2, &["1", "ha \n\"ha\" \nha"]), (5, &["3", "4"])]);
    reads("a,b,c\n1,2,3\n4,5,ʤ\n", &["a", "b", "c"], &[(2, &["1", "2", "3"]), (3, &["4", "5", "ʤ"])]);
}

#[test]
fn line_numbers_are_those_of_an_editor() {
    for end in ["\n", "\r\n", "\r"] {
        let file = format!("{end}Email,Name{end}{end}a@x.com,\"A{end}B\"{end}  {end},,{end}b@x.com,B");
        let table = open(&file);
        assert_eq!(table.sample()[0].line, 4);
        let found = rows(table);
        assert_eq!(found[0], (4, vec!["a@x.com".into(), format!("A{end}B")]), "{end:?}");
        assert_eq!(found[1], (8, vec!["b@x.com".into(), "B".into()]));
        assert_eq!(found.len(), 2, "blank rows are skipped");
    }
}

#[test]
fn delimiters_are_told_apart() {
    for (file, delimiter, columns) in [
        ("Name;Amount\nJane;12,50\nBob;13,20\n", ';', 2),
        ("Name\tCode\n\"Doe, Jane\"\tAGENT1\nDoe, John\tAGENT2\n", '\t', 2),
        ("Doe, Jane;jane@x.com;K1\nDoe, John;john@x.com;K2\n", ';', 3),
        ("Doe, Jane\tjane@x.com\nDoe, John\tjohn@x.com\n", '\t', 2),
        ("email,request\na@x.com,\"a;b;c\"\nb@x.com,\"d;e;f\"\n", ',', 2),
        ("foo,bar\nx,\"a;b;c\"\ny,\"d;e;f\"\n", ',', 2),
        ("Name|Email\nJane|jane@x.com\n", '|', 2),
        ("sep=|\r\nName|Email\r\nJane|jane@x.com\r\n", '|', 2),
        ("Email\njane@x.com\n", ',', 1),
        ("Email\n\"a;b\"\n\"c;d\"\n", ',', 1),
    ] {
        let table = open(file);
        assert_eq!((table.delimiter(), table.columns().len()), (delimiter, columns), "{file}");
    }
    let declared = rows(open("sep=;\nName;Email\nJane;jane@x.com\n"));
    assert_eq!(declared, [(3, vec!["Jane".to_owned(), "jane@x.com".to_owned()])]);
}

#[test]
fn a_header_is_told_from_data() {
    for file in [
        "Email\na@x.com\n",
        "Kunde;Betrag\nJane Smith;12\n",
        "name\n",
        "Foo,Bar\nx,y\n",
        "Codes\nAGENT1\n",
        "Name,Email,2024\nJane,a@x.com,1\n",
    ] {
        assert!(open(file).header().is_some(), "{file}");
    }
    for (file, width) in [
        ("a@x.com\nb@x.com", 1),
        ("AGENT123\nAGENT124\n", 1),
        ("ueONFmUp", 1),
        ("JANE\nBOBBY\n", 1),
        ("a@x.com,\nb@x.com,K1\n", 2),
        ("Jane Smith,+254722000001,Referral\nBob,+254722000002,Website\n", 3),
        ("Jane,100.00,USD\n", 3),
    ] {
        let table = open(file);
        assert_eq!((table.header(), table.columns().len()), (None, width), "{file}");
        assert_eq!(table.columns()[0], "Column 1");
        assert_eq!(rows(table)[0].0, 1, "the first row is data");
    }
}

#[test]
fn every_column_has_a_label_of_its_own() {
    let table = open("Email,, Email ,Email (2),email,Email,,\na@x.com,1,2,3,4,5,,\n");
    assert_eq!(table.header().unwrap(), ["Email", "", "Email", "Email (2)", "email", "Email"]);
    assert_eq!(table.columns(), ["Email", "Column 2", "Email (3)", "Email (2)", "email", "Email (4)"]);
    assert_eq!(rows(table)[0].1.len(), 6, "columns without a name at the end are left out");
}

#[test]
fn ragged_rows_are_bad_but_empty_cells_at_the_end_are_fine() {
    let found = lines(open("Name,Email\nJane,j@x.com,,  ,\nBob\nDoe, John,d@x.com\nEve,e@x.com\n"));
    let row = |line, cells: [&str; 2]| Line::Row(Row { line, cells: cells.map(str::to_owned).to_vec() });
    assert_eq!(found[0], row(2, ["Jane", "j@x.com"]));
    let Line::Bad(few) = &found[1] else { panic!() };
    assert_eq!((few.line, &few.reason), (3, &BadReason::TooFewCells { found: 1, expected: 2 }));
    let Line::Bad(many) = &found[2] else { panic!() };
    assert_eq!((many.line, &many.reason), (4, &BadReason::TooManyCells { found: 3, expected: 2 }));
    assert_eq!(many.cells, ["Doe", " John", "d@x.com"], "the rejected row can be shown");
    assert_eq!(found[3], row(5, ["Eve", "e@x.com"]));
}

#[test]
fn a_quotation_mark_that_is_never_closed_is_reported_with_what_it_swallowed() {
    let bad = bad_rows(open("Name,Email\nA,a@x.com\n\"B,b@x.com\nC,c@x.com\n"));
    assert_eq!(bad, [(3, BadReason::UnclosedQuote { last_line: 5 })]);
    assert!(matches!(refused("Email,\"Name\na@x.com,A\n"), TableError::BadHeader { line: 1, .. }));
}

#[test]
fn every_limit_is_named_when_it_is_passed() {
    let limits = Limits { max_bytes: 60, max_rows: 2, max_cell_chars: 5, max_columns: 3 };
    let end = |file: &str| {
        let all: Result<Vec<Line>, TableError> = Table::open(file.as_bytes(), &limits).and_then(Iterator::collect);
        all.map_err(|error| error.to_string())
    };
    assert_eq!(end("a,b,c,,,\n1,2,3\n1,2,3\n").unwrap().len(), 2);
    assert_eq!(
        end("a,b\n1,2\n1,2\n1,2\n").unwrap_err(),
        "This file has more than 2 rows, which is the limit. Split it into several files."
    );
    assert_eq!(
        end("a,b,c,d\n").unwrap_err(),
        "This file has more than 3 columns, which is the limit. Remove those you do not need."
    );
    assert_eq!(
        end(&"x".repeat(61)).unwrap_err(),
        "This file is larger than 60 bytes, which is the limit. Split it into several files."
    );
    let long = end("a,b\n1,ééééé\n1,éééééé\n").unwrap();
    let Line::Bad(bad) = &long[1] else { panic!() };
    assert_eq!(bad.reason.to_string(), "The cell in column 2 is longer than 5 characters, which is the limit.");
    assert_eq!(bad.cells, ["1", "ééééé"], "cut at the limit");

    let mib = Limits { max_bytes: 1 << 20, ..Limits::default() };
    let mut table = Table::open(b"Name\n".chain(io::repeat(b'x')), &mib).unwrap();
    let error = table.next().unwrap().unwrap_err();
    assert_eq!(error.to_string(), "This file is larger than 1 MB, which is the limit. Split it into several files.");
    assert!(table.next().is_none(), "after an error there is nothing more");
}
