//! JSON lines as a table: an object a line, its keys the columns. They are rewritten as CSV while they are read, so that
//! one path reads both.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, BufRead, BufReader, Read};

use serde_json::value::RawValue;

use super::write::{sanitise_for_spreadsheet, write_csv_row};

/// Objects that are looked at for their keys before the first row is given.
const AHEAD: usize = 200;
/// The longest line.
const LONGEST: u64 = 4 << 20;

/// The reader itself, or the table that its JSON lines are.
pub fn table_of<'r>(reader: impl Read + 'r) -> io::Result<Box<dyn Read + 'r>> {
    let mut reader = BufReader::new(reader);
    let head = reader.fill_buf()?;
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let is_json = text.starts_with(b"{") && text[1..].trim_ascii_start().starts_with(b"\"");
    if is_json { Ok(Box::new(JsonLines::new(reader)?)) } else { Ok(Box::new(reader)) }
}

/// Values as they are written: a number keeps its digits.
type Object = BTreeMap<String, Box<RawValue>>;

struct JsonLines<R> {
    lines: R,
    /// Lines read so far.
    number: u64,
    columns: Vec<String>,
    ahead: VecDeque<Object>,
    out: Vec<u8>,
    given: usize,
}

impl<R: BufRead> JsonLines<R> {
    fn new(lines: R) -> io::Result<Self> {
        let mut this =
            Self { lines, number: 0, columns: Vec::new(), ahead: VecDeque::new(), out: Vec::new(), given: 0 };
        while this.ahead.len() < AHEAD
            && let Some(object) = this.next_object()?
        {
            for key in object.keys().filter(|key| !this.columns.contains(key)).cloned().collect::<Vec<_>>() {
                this.columns.push(key);
            }
            this.ahead.push_back(object);
        }
        let names: Vec<&str> = this.columns.iter().map(String::as_str).collect();
        write_csv_row(&mut this.out, &names)?;
        Ok(this)
    }

    fn next_object(&mut self) -> io::Result<Option<Object>> {
        loop {
            let mut line = Vec::new();
            if self.lines.by_ref().take(LONGEST).read_until(b'\n', &mut line)? == 0 {
                return Ok(None);
            }
            self.number += 1;
            let text = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line).trim_ascii();
            if !text.is_empty() {
                let wrong = |_| fault(format!("line {} is not a JSON object", self.number));
                return serde_json::from_slice(text).map(Some).map_err(wrong);
            }
        }
    }

    fn next_row(&mut self) -> io::Result<bool> {
        let object = match self.ahead.pop_front() {
            Some(object) => object,
            None => match self.next_object()? {
                Some(object) => object,
                None => return Ok(false),
            },
        };
        if let Some(key) = object.keys().find(|key| !self.columns.contains(key)) {
            return Err(fault(format!("line {} has “{key}”, which the first {AHEAD} lines lack", self.number)));
        }
        let cells: Vec<String> = self.columns.iter().map(|name| cell(object.get(name).map(AsRef::as_ref))).collect();
        self.out.clear();
        self.given = 0;
        write_csv_row(&mut self.out, &cells.iter().map(String::as_str).collect::<Vec<_>>())?;
        Ok(true)
    }
}

/// A value as a cell of our own files has it.
fn cell(value: Option<&RawValue>) -> String {
    match value.map_or("null", RawValue::get) {
        "null" => String::new(),
        "true" => "yes".to_owned(),
        "false" => "no".to_owned(),
        raw => match serde_json::from_str::<String>(raw) {
            Ok(text) => sanitise_for_spreadsheet(&text),
            Err(_) => raw.to_owned(),
        },
    }
}

fn fault(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

impl<R: BufRead> Read for JsonLines<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.given == self.out.len() && !self.next_row()? {
            return Ok(0);
        }
        let left = &self.out[self.given..];
        let count = left.len().min(into.len());
        into[..count].copy_from_slice(&left[..count]);
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, String> {
        let mut out = String::new();
        let mut reader = table_of(text.as_bytes()).map_err(|e| e.to_string())?;
        reader.read_to_string(&mut out).map_err(|e| e.to_string())?;
        Ok(out)
    }

    #[test]
    fn objects_become_rows() {
        let text =
            "{\"name\": \"=1\", \"budget\": 5.10, \"active\": true}\n\n{\"name\": null, \"tags\": {\"a\": \"b\"}}\n";
        let columns = "active,budget,name,tags";
        assert_eq!(read(text).unwrap(), format!("{columns}\r\nyes,5.10,'=1,\r\n,,,\"{{\"\"a\"\": \"\"b\"\"}}\"\r\n"));
        assert_eq!(read("name,email\r\n{x},y\r\n").unwrap(), "name,email\r\n{x},y\r\n");
        assert_eq!(read("").unwrap(), "");
    }

    #[test]
    fn what_is_no_object_is_named_by_its_line() {
        assert_eq!(read("{\"a\": 1}\n{\"a\"\n").unwrap_err(), "line 2 is not a JSON object");
        let late = format!("{}{{\"b\": 1}}\n", "{\"a\": 1}\n".repeat(AHEAD));
        assert!(read(&late).unwrap_err().starts_with("line 201 has “b”"));
    }
}
