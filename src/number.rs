//! A number as people write it, in a form or a file: `1250`, `1,250.00`, `1.250,00`, `1 250,5`, `1'250.5`. The last
//! mark before other than three digits is the decimal point; thousands are in groups of three, apart by one kind of
//! mark. One comma or dot with three digits behind it has two meanings, and the reader says so.

/// A number that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub negative: bool,
    /// Digits alone.
    pub whole: String,
    /// Digits alone; empty without decimals.
    pub fraction: String,
    /// The only mark, where it may part thousands as well as decimals: a comma was read as the first, a dot as the
    /// second.
    pub unclear: Option<char>,
}

impl Written {
    /// The other meaning of an unclear number; of a clear one there is none.
    pub fn other(&self) -> Option<Self> {
        self.unclear?;
        let digits = format!("{}{}", self.whole, self.fraction);
        let behind = if self.fraction.is_empty() { 3 } else { 0 };
        let (whole, fraction) = digits.split_at(digits.len() - behind);
        Some(Self { whole: whole.to_owned(), fraction: fraction.to_owned(), ..self.clone() })
    }

    /// Digits, and a dot before the decimals.
    pub fn plain(&self) -> String {
        let sign = if self.negative { "-" } else { "" };
        if self.fraction.is_empty() {
            format!("{sign}{}", self.whole)
        } else {
            format!("{sign}{}.{}", self.whole, self.fraction)
        }
    }
}

/// Reads a number; `None` for what is none.
pub fn read(raw: &str) -> Option<Written> {
    let text = raw.trim();
    let (negative, text) = text.strip_prefix(['-', '\u{2212}']).map_or((false, text), |rest| (true, rest));
    let marks: Vec<(usize, char)> = text.char_indices().filter(|(_, c)| !c.is_ascii_digit()).collect();
    if !marks.iter().all(|(_, c)| is_mark(*c)) {
        return None;
    }
    let Some(&(at, last)) = marks.last() else {
        return (!text.is_empty()).then(|| Written {
            negative,
            whole: text.to_owned(),
            fraction: String::new(),
            unclear: None,
        });
    };
    let alone = marks.iter().filter(|(_, c)| *c == last).count() == 1;
    let (before, behind) = (&text[..at], &text[at + last.len_utf8()..]);
    let could_be_point = matches!(last, ',' | '.') && alone;
    // "0,050" has a decimal comma, as "1250,000" has.
    let could_be_thousands = marks.len() == 1 && behind.len() == 3 && before.len() <= 3 && !before.starts_with('0');
    if could_be_point && !(last == ',' && could_be_thousands) {
        let whole = ungrouped(before)?;
        let unclear = could_be_thousands.then_some(last);
        return (!behind.is_empty()).then(|| Written { negative, whole, fraction: behind.to_owned(), unclear });
    }
    let unclear = (could_be_point && could_be_thousands).then_some(last);
    Some(Written { negative, whole: ungrouped(text)?, fraction: String::new(), unclear })
}

fn is_mark(c: char) -> bool {
    matches!(c, ',' | '.' | '\'' | '\u{2019}' | ' ' | '\u{a0}' | '\u{2009}' | '\u{202f}')
}

/// The digits of a whole number, whose thousands may be apart by one kind of mark.
fn ungrouped(text: &str) -> Option<String> {
    let Some(mark) = text.chars().find(|c| !c.is_ascii_digit()) else {
        return (!text.is_empty()).then(|| text.to_owned());
    };
    let mut groups = text.split(mark);
    let leading = |group: &&str| is_digits(group) && group.len() <= 3 && !group.starts_with('0');
    let first = groups.next().filter(leading)?;
    groups.try_fold(first.to_owned(), |whole, group| (group.len() == 3 && is_digits(group)).then(|| whole + group))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_every_country() {
        for (text, plain) in [
            ("1250", "1250"),
            ("1,250.00", "1250.00"),
            ("1.250,00", "1250.00"),
            ("1 250,5", "1250.5"),
            ("1\u{202f}234\u{a0}567", ""),
            ("1'250.5", "1250.5"),
            ("1\u{2019}250\u{2019}000,05", "1250000.05"),
            ("10,5", "10.5"),
            ("10.5", "10.5"),
            ("1.000.000", "1000000"),
            ("1,000,000.5", "1000000.5"),
            ("1250,000", "1250.000"),
            ("0,050", "0.050"),
            ("-1,5", "-1.5"),
            ("1 250,500", "1250.500"),
            ("1,25", "1.25"),
        ] {
            assert_eq!(read(text).map(|n| n.plain()).unwrap_or_default(), plain, "{text}");
            assert!(read(text).is_none_or(|n| n.unclear.is_none() && n.other().is_none()), "{text}");
        }
    }

    #[test]
    fn one_mark_before_three_digits_has_two_meanings() {
        for (text, read_as, or) in
            [("1,000", "1000", "1.000"), ("12.500", "12.500", "12500"), ("250,125", "250125", "250.125")]
        {
            let number = read(text).unwrap();
            assert_eq!((number.plain().as_str(), number.other().unwrap().plain().as_str()), (read_as, or), "{text}");
        }
    }

    #[test]
    fn the_rest_is_no_number() {
        for text in [
            "",
            "-",
            ",5",
            "5.",
            ".5",
            "5,",
            "1,00,000",
            "1,250 000",
            "1.2.3,4",
            "1,2,3",
            "1.000.00",
            "1,000.000,5",
            "1  250",
            "12 34",
            "1e3",
            "$5",
            "\u{661}",
            "+5",
            "5 USD",
            " ",
            ".",
            "1.000,000.5",
            "0 250",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
