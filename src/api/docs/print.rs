//! Values and programs as people read them: fields in the order of their weight, and a little colour.

use std::fmt::Write as _;

use serde_json::{Map, Value as Json_};

/// The literals of a language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Literals {
    Json,
    Php,
    Python,
}

/// A value over several lines, the first without indentation.
pub fn literal(value: &Json_, literals: Literals, depth: usize) -> String {
    let mut out = String::new();
    write(value, literals, depth, &mut out);
    out
}

fn write(value: &Json_, literals: Literals, depth: usize, out: &mut String) {
    let step = if literals == Literals::Json { 2 } else { 4 };
    let line = |out: &mut String, depth: usize| {
        let _ = write!(out, "\n{:1$}", "", depth * step);
    };
    let (open, close, arrow) = match literals {
        Literals::Json | Literals::Python => ('{', '}', ": "),
        Literals::Php => ('[', ']', " => "),
    };
    match value {
        Json_::Object(object) if !object.is_empty() => {
            out.push(open);
            for (at, (name, field)) in in_order(object).into_iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                line(out, depth + 1);
                out.push_str(&quoted(name, literals));
                out.push_str(arrow);
                write(field, literals, depth + 1, out);
            }
            trail(literals, out);
            line(out, depth);
            out.push(close);
        }
        Json_::Array(items) if !items.is_empty() => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                line(out, depth + 1);
                write(item, literals, depth + 1, out);
            }
            trail(literals, out);
            line(out, depth);
            out.push(']');
        }
        Json_::Object(_) if literals == Literals::Php => out.push_str("[]"),
        Json_::String(text) => out.push_str(&quoted(text, literals)),
        Json_::Bool(true) if literals == Literals::Python => out.push_str("True"),
        Json_::Bool(false) if literals == Literals::Python => out.push_str("False"),
        Json_::Null if literals == Literals::Python => out.push_str("None"),
        other => {
            let _ = write!(out, "{other}");
        }
    }
}

/// Adds a comma behind the last element in languages that allow one.
fn trail(literals: Literals, out: &mut String) {
    if literals != Literals::Json {
        out.push(',');
    }
}

fn quoted(text: &str, literals: Literals) -> String {
    let json = Json_::from(text).to_string();
    // In PHP a dollar begins a variable.
    if literals == Literals::Php { json.replace('$', "\\$") } else { json }
}

/// Scalars before objects and lists, and the time of the last change at the end.
fn in_order(object: &Map<String, Json_>) -> Vec<(&String, &Json_)> {
    let mut fields: Vec<_> = object.iter().collect();
    fields.sort_by_key(|(name, _)| weight(name));
    fields
}

/// The rank of a field among others.
pub fn weight(name: &str) -> usize {
    const FIRST: [&str; 16] = [
        "success",
        "result",
        "type",
        "id",
        "_id",
        "number",
        "status",
        "code",
        "title",
        "detail",
        "message",
        "name",
        "first_name",
        "email",
        "businessId",
        "productId",
    ];
    let known = FIRST.iter().position(|first| *first == name);
    let last = if name.ends_with("_at") || name == "next" || name == "errors" { 100 } else { 50 };
    known.unwrap_or(last)
}

/// Words that languages keep for themselves.
const KEPT: [&str; 15] = [
    "await", "const", "curl", "false", "import", "from", "if", "method", "new", "null", "true", "throw", "None",
    "True", "False",
];

/// A program as HTML, escaped, with its texts, numbers and keywords marked.
pub fn tinted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let chars: Vec<char> = text.chars().collect();
    let mut at = 0;
    while at < chars.len() {
        let end = match chars[at] {
            '"' => past_text(&chars, at),
            c if c.is_ascii_alphanumeric() || c == '_' => {
                let rest = chars[at..].iter().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'));
                at + rest.count()
            }
            _ => at + 1,
        };
        let piece: String = chars[at..end].iter().collect();
        mark(&piece, chars.get(end) == Some(&':'), &mut out);
        at = end;
    }
    out
}

/// The end of a text in quotation marks.
fn past_text(chars: &[char], start: usize) -> usize {
    let mut at = start + 1;
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(chars.len())
}

fn mark(piece: &str, names: bool, out: &mut String) {
    let is_text = piece.starts_with('"');
    let is_number = piece.starts_with(|c: char| c.is_ascii_digit()) && piece.parse::<f64>().is_ok();
    let tag = match () {
        () if is_text && names => "b",
        () if is_text => "i",
        () if is_number || KEPT.contains(&piece) => "em",
        () => "",
    };
    let escaped = piece.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    if tag.is_empty() {
        out.push_str(&escaped);
    } else {
        let _ = write!(out, "<{tag}>{escaped}</{tag}>");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_value_is_written_as_each_language_reads_it() {
        let value = json!({ "active": true, "id": "a$1", "of": null, "list": [1] });
        assert_eq!(
            literal(&value, Literals::Json, 0),
            "{\n  \"id\": \"a$1\",\n  \"active\": true,\n  \"list\": [\n    1\n  ],\n  \"of\": null\n}"
        );
        assert!(literal(&value, Literals::Python, 0).contains("\"active\": True,"));
        assert!(literal(&value, Literals::Python, 0).contains("\"of\": None,"));
        assert!(literal(&value, Literals::Php, 0).contains("\"id\" => \"a\\$1\","));
    }

    #[test]
    fn nothing_in_a_program_is_taken_for_html() {
        assert_eq!(tinted("if (1 < 2) \"</pre>\""), "<em>if</em> (<em>1</em> &lt; <em>2</em>) <i>\"&lt;/pre&gt;\"</i>");
        assert_eq!(tinted("{\"a\\\"b\": \"c"), "{<b>\"a\\\"b\"</b>: <i>\"c</i>");
    }
}
