//! Decoded text into rows of cells, by RFC 4180 as people really write it: a row ends with CRLF, LF or a lone CR; a
//! quotation mark counts only at the start of a cell; what follows a closed one belongs to the cell.

use std::mem;

use super::Limits;
use super::decode::UNDECODABLE;
use super::error::BadReason;

/// One row as it was found.
#[derive(Debug, Clone, Default)]
pub(super) struct Record {
    pub(super) line: u64,
    /// The first `max_columns` cells, each cut at `max_cell_chars`.
    pub(super) cells: Vec<String>,
    /// The number of cells in all.
    pub(super) count: usize,
    /// The same without the blank ones at the end.
    pub(super) filled: usize,
    /// A quotation mark in a wrong position: a hint that the delimiter is another.
    pub(super) stray_quote: bool,
    too_long: Option<BadReason>,
    undecodable: bool,
    nul: bool,
    unclosed: Option<u64>,
}

impl Record {
    pub(super) fn is_blank(&self) -> bool {
        self.filled == 0 && !self.nul && self.unclosed.is_none()
    }

    /// Its fault apart from the number of its cells.
    pub(super) fn fault(&self, encoding: &'static str) -> Option<BadReason> {
        if let Some(last_line) = self.unclosed {
            Some(BadReason::UnclosedQuote { last_line })
        } else if self.undecodable {
            Some(BadReason::Undecodable { encoding })
        } else if self.nul {
            Some(BadReason::Nul)
        } else {
            self.too_long.clone()
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    CellStart,
    Plain,
    Quoted,
    /// After a quotation mark inside a quoted cell: the cell's end, or the first half of a doubled one.
    QuoteSeen,
    AfterQuotes,
}

/// A state machine that is fed text in pieces of any size.
pub(super) struct Splitter {
    delimiter: u8,
    max_cell_chars: usize,
    max_columns: usize,
    state: State,
    line: u64,
    after_cr: bool,
    cell: Vec<u8>,
    record: Record,
}

impl Splitter {
    pub(super) fn new(delimiter: u8, limits: &Limits) -> Splitter {
        Splitter {
            delimiter,
            max_cell_chars: limits.max_cell_chars,
            max_columns: limits.max_columns,
            state: State::CellStart,
            line: 1,
            after_cr: false,
            cell: Vec::new(),
            record: Record { line: 1, ..Record::default() },
        }
    }

    /// Takes bytes up to the end of a row; says how many it took, and gives the row if one ended.
    pub(super) fn push(&mut self, bytes: &[u8]) -> (usize, Option<Record>) {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            if mem::take(&mut self.after_cr) && byte == b'\n' {
                // The CR before it has ended the line already.
                if self.state == State::Quoted {
                    self.add(b"\n");
                }
                at += 1;
                continue;
            }
            match self.state {
                State::CellStart if byte == b'"' => {
                    self.state = State::Quoted;
                    at += 1;
                }
                State::CellStart => self.state = State::Plain,
                State::QuoteSeen if byte == b'"' => {
                    self.add(b"\"");
                    self.state = State::Quoted;
                    at += 1;
                }
                State::QuoteSeen => self.state = State::AfterQuotes,
                State::Quoted => {
                    let run = self.plain_run(&bytes[at..]);
                    self.add(&bytes[at..at + run]);
                    at += run;
                    let Some(&special) = bytes.get(at) else { break };
                    at += 1;
                    match special {
                        b'"' => self.state = State::QuoteSeen,
                        b'\r' | b'\n' => {
                            self.add(&[special]);
                            self.end_line(special);
                        }
                        _ => self.add_special(special),
                    }
                }
                State::Plain | State::AfterQuotes => {
                    let run = self.plain_run(&bytes[at..]);
                    self.record.stray_quote |= run > 0 && self.state == State::AfterQuotes;
                    self.add(&bytes[at..at + run]);
                    at += run;
                    let Some(&special) = bytes.get(at) else { break };
                    at += 1;
                    match special {
                        b'\r' | b'\n' => {
                            self.end_line(special);
                            return (at, Some(self.end_record()));
                        }
                        _ if special == self.delimiter => self.end_cell(),
                        _ => self.add_special(special),
                    }
                }
            }
        }
        (at, None)
    }

    /// The last row, when the file does not end with a line break.
    pub(super) fn finish(&mut self) -> Option<Record> {
        if self.state == State::CellStart && self.record.count == 0 {
            return None;
        }
        if self.state == State::Quoted {
            self.record.unclosed = Some(self.line);
        }
        Some(self.end_record())
    }

    fn plain_run(&self, bytes: &[u8]) -> usize {
        let quoted = self.state == State::Quoted;
        let is_special = |byte: &u8| match *byte {
            b'"' | b'\r' | b'\n' | 0 | UNDECODABLE => true,
            byte => byte == self.delimiter && !quoted,
        };
        bytes.iter().position(is_special).unwrap_or(bytes.len())
    }

    fn add(&mut self, bytes: &[u8]) {
        // A character has at most four bytes, so one byte more proves that the cell is too long.
        let enough = self.max_cell_chars.saturating_mul(4).saturating_add(1);
        let room = enough.saturating_sub(self.cell.len());
        self.cell.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn add_special(&mut self, byte: u8) {
        match byte {
            0 => self.record.nul = true,
            UNDECODABLE => {
                self.record.undecodable = true;
                self.add("\u{FFFD}".as_bytes());
            }
            _ => {
                self.record.stray_quote = true;
                self.add(&[byte]);
            }
        }
    }

    fn end_line(&mut self, byte: u8) {
        self.line += 1;
        self.after_cr = byte == b'\r';
    }

    fn end_cell(&mut self) {
        self.state = State::CellStart;
        let bytes = mem::take(&mut self.cell);
        // Only a cell cut in the middle of a character is not UTF-8 here.
        let mut text =
            String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        let record = &mut self.record;
        record.count += 1;
        if text.len() > self.max_cell_chars
            && let Some((end, _)) = text.char_indices().nth(self.max_cell_chars)
        {
            text.truncate(end);
            let too_long = BadReason::CellTooLong { column: record.count, limit: self.max_cell_chars };
            record.too_long.get_or_insert(too_long);
        }
        if record.too_long.is_some() || !text.trim().is_empty() {
            record.filled = record.count;
        }
        if record.cells.len() < self.max_columns {
            record.cells.push(text);
        }
    }

    fn end_record(&mut self) -> Record {
        self.end_cell();
        let next = Record { line: self.line, cells: Vec::with_capacity(self.record.cells.len()), ..Record::default() };
        mem::replace(&mut self.record, next)
    }
}
