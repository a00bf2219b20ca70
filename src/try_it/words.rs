//! Splits a pasted command into words as a shell does: both kinds of quotes, `$'…'`, lines that continue
//! after a backslash, and the carets of Windows. Nothing is looked up and nothing is run.

/// Why a text is no command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unsplit {
    /// An unclosed quote.
    Open(char),
    /// Quotes of a text editor, which no shell understands.
    Curly,
}

/// The words of the first command of a text.
pub fn split(text: &str) -> Result<Vec<String>, Unsplit> {
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let text = if is_of_windows(&text) { without_carets(&text) } else { text };
    let chars: Vec<char> = text.chars().collect();
    let mut splitter = Splitter { chars: &chars, at: 0, words: Vec::new(), word: None };
    splitter.run()?;
    Ok(splitter.words)
}

/// A word as a shell takes it, in single quotes where it needs any.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

fn is_of_windows(text: &str) -> bool {
    text.contains("^\n") || text.contains("^\"")
}

/// A caret takes the next character literally; before a line's end, the line continues.
fn without_carets(text: &str) -> String {
    let (mut out, mut chars) = (String::with_capacity(text.len()), text.chars());
    while let Some(c) = chars.next() {
        if c != '^' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('\n') => out.push(' '),
            Some(next) => out.push(next),
            None => {}
        }
    }
    out
}

struct Splitter<'c> {
    chars: &'c [char],
    at: usize,
    words: Vec<String>,
    word: Option<String>,
}

impl Splitter<'_> {
    fn next(&mut self) -> Option<char> {
        let c = self.peek(0);
        self.at += usize::from(c.is_some());
        c
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn push(&mut self, c: char) {
        self.word.get_or_insert_default().push(c);
    }

    fn end_word(&mut self) {
        self.words.extend(self.word.take());
    }

    fn run(&mut self) -> Result<(), Unsplit> {
        while let Some(c) = self.next() {
            match c {
                '\u{201c}' | '\u{201d}' | '\u{2018}' | '\u{2019}' if self.word.is_none() => return Err(Unsplit::Curly),
                '\'' => self.single()?,
                '"' => self.double()?,
                '$' if self.peek(0) == Some('\'') => {
                    self.at += 1;
                    self.ansi()?;
                }
                '\\' => self.escaped(),
                '#' if self.word.is_none() => while self.next().is_some_and(|c| c != '\n') {},
                // Everything after the command is ignored. An unquoted & in an address stays, though a shell
                // would end the command there.
                '|' | ';' | '<' | '>' => break,
                '&' if self.word.is_none() || self.peek(0).is_none_or(|c| c.is_whitespace() || c == '&') => break,
                c if c.is_whitespace() => self.end_word(),
                c => self.push(c),
            }
        }
        self.end_word();
        Ok(())
    }

    fn single(&mut self) -> Result<(), Unsplit> {
        self.word.get_or_insert_default();
        loop {
            match self.next().ok_or(Unsplit::Open('\''))? {
                '\'' => return Ok(()),
                c => self.push(c),
            }
        }
    }

    fn double(&mut self) -> Result<(), Unsplit> {
        self.word.get_or_insert_default();
        loop {
            match self.next().ok_or(Unsplit::Open('"'))? {
                '"' => return Ok(()),
                '\\' => match self.next().ok_or(Unsplit::Open('"'))? {
                    '\n' => {}
                    c @ ('"' | '\\' | '$' | '`') => self.push(c),
                    c => {
                        self.push('\\');
                        self.push(c);
                    }
                },
                c => self.push(c),
            }
        }
    }

    /// `$'…'`: what browsers copy when a body has quotes or line ends in it.
    fn ansi(&mut self) -> Result<(), Unsplit> {
        self.word.get_or_insert_default();
        loop {
            match self.next().ok_or(Unsplit::Open('\''))? {
                '\'' => return Ok(()),
                '\\' => {
                    let c = match self.next().ok_or(Unsplit::Open('\''))? {
                        'n' => '\n',
                        't' => '\t',
                        'r' => '\r',
                        'x' => self.code(2),
                        'u' => self.code(4),
                        'U' => self.code(8),
                        c => c,
                    };
                    self.push(c);
                }
                c => self.push(c),
            }
        }
    }

    /// A character by its number, in up to `most` hexadecimal digits.
    fn code(&mut self, most: usize) -> char {
        let mut number = 0_u32;
        for _ in 0..most {
            let Some(digit) = self.peek(0).and_then(|c| c.to_digit(16)) else { break };
            number = number << 4 | digit;
            self.at += 1;
        }
        char::from_u32(number).unwrap_or('\u{fffd}')
    }

    fn escaped(&mut self) {
        // Spaces behind the backslash at a line's end are easily pasted along.
        let spaces = (0..).take_while(|n| matches!(self.peek(*n), Some(' ' | '\t'))).count();
        if self.peek(spaces).is_none_or(|c| c == '\n') {
            self.at += spaces + 1;
            self.end_word();
        } else if spaces > 0 && self.word.is_none() {
            // The line's end was lost on the way here; no word of a call begins with a space.
            self.at += spaces;
        } else if let Some(c) = self.next() {
            self.push(c);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_a_shells() {
        for (text, expected) in [
            ("curl  -X POST\n", vec!["curl", "-X", "POST"]),
            ("curl \\\n  -d '{\"a\": 1}' \\\n  http://x", vec!["curl", "-d", "{\"a\": 1}", "http://x"]),
            ("curl \\  \n -G", vec!["curl", "-G"]),
            ("curl \\ -X POST \\  -G", vec!["curl", "-X", "POST", "-G"]),
            ("a\"b c\"'d e'f", vec!["ab cd ef"]),
            (r#""a\"b\\c\d$e""#, vec!["a\"b\\c\\d$e"]),
            (r"'it'\''s'", vec!["it's"]),
            (r"$'a\u0021\n\x41\'b'", vec!["a!\nA'b"]),
            ("'' \"\"", vec!["", ""]),
            ("curl http://x/a?b=1&c=2 | jq .", vec!["curl", "http://x/a?b=1&c=2"]),
            ("curl x && echo done", vec!["curl", "x"]),
            ("# how to\ncurl x # so\n -v", vec!["curl", "x", "-v"]),
            ("curl ^\n  -d ^\"{^\\^\"a^\\^\":1}^\" ^\"x^\"", vec!["curl", "-d", "{\"a\":1}", "x"]),
            ("\u{feff}curl x\r\n", vec!["curl", "x"]),
        ] {
            assert_eq!(split(text).unwrap(), expected, "{text}");
        }
        assert_eq!(split("curl 'x"), Err(Unsplit::Open('\'')));
        assert_eq!(split("curl \"x\\"), Err(Unsplit::Open('"')));
        assert_eq!(split("curl \u{201c}x\u{201d}"), Err(Unsplit::Curly));
    }

    proptest! {
        #[test]
        fn what_is_quoted_comes_back(words in prop::collection::vec("[^\r\u{feff}^\u{2018}-\u{201d}]{0,12}", 0..6)) {
            let line = words.iter().map(|w| quoted(w)).collect::<Vec<_>>().join(" \\\n  ");
            prop_assert_eq!(split(&line), Ok(words));
        }

        #[test]
        fn nothing_panics(text in "[ -~\n\u{e9}\u{201c}]{0,80}|([\\\\'\"$^&|u0x \n]){0,40}") {
            let _ = split(&text);
        }
    }
}
