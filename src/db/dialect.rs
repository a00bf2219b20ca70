//! Rewrites the one text of SQL for each engine: `rows(…)` tables, and the row locks that SQLite lacks.
//!
//! `IN rows($1, id BIGINT)` looks each value up in an index, whatever PostgreSQL estimates for a table that
//! fills and empties: the planner turns a join with a table of values around when it takes the other table
//! for empty.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, RwLock};

use super::table::Kind;
use super::{DbError, DbResult};

/// A text for a driver.
pub enum Text {
    Fixed(&'static str),
    Built(String),
}

/// The parameters of a text that are tables, with their declared columns.
#[derive(Default)]
pub struct Tables(HashMap<usize, Vec<(String, Kind)>>);

impl Tables {
    /// The columns of the parameter at this position, from 0.
    pub fn columns(&self, position: usize) -> DbResult<&[(String, Kind)]> {
        let fault = || DbError::Fault(format!("${} is not declared by rows(…)", position + 1));
        self.0.get(&position).map(Vec::as_slice).ok_or_else(fault)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Dialect {
    Sqlite,
    Postgres,
}

pub fn for_sqlite(text: Cow<'static, str>) -> DbResult<(Text, Arc<Tables>)> {
    rewritten(text, Dialect::Sqlite)
}

pub fn for_postgres(text: Cow<'static, str>) -> DbResult<(Text, Arc<Tables>)> {
    rewritten(text, Dialect::Postgres)
}

type Rewrites = RwLock<HashMap<(Dialect, usize, usize), (&'static str, Arc<Tables>)>>;

/// Fixed texts are rewritten once; they are few, and live as long as the program.
static REWRITES: LazyLock<Rewrites> = LazyLock::new(Rewrites::default);
static NONE: LazyLock<Arc<Tables>> = LazyLock::new(Arc::default);

fn rewritten(text: Cow<'static, str>, dialect: Dialect) -> DbResult<(Text, Arc<Tables>)> {
    let needs = text.contains("rows($") || text.contains("FOR NO KEY UPDATE");
    match text {
        Cow::Borrowed(t) if !needs => Ok((Text::Fixed(t), NONE.clone())),
        Cow::Owned(t) if !needs => Ok((Text::Built(t), NONE.clone())),
        Cow::Owned(t) => {
            let (text, tables) = rewrite(&t, dialect)?;
            Ok((Text::Built(text), Arc::new(tables)))
        }
        Cow::Borrowed(t) => {
            let key = (dialect, t.as_ptr().addr(), t.len());
            if let Some((known, tables)) = REWRITES.read().ok().and_then(|map| map.get(&key).cloned()) {
                return Ok((Text::Fixed(known), tables));
            }
            let (text, tables) = rewrite(t, dialect)?;
            let made: (&'static str, Arc<Tables>) = (text.leak(), Arc::new(tables));
            if let Ok(mut map) = REWRITES.write() {
                map.insert(key, made.clone());
            }
            Ok((Text::Fixed(made.0), made.1))
        }
    }
}

/// One `rows($1, id BIGINT, email TEXT) r` of a text.
struct Declared<'t> {
    /// From 0.
    position: usize,
    columns: Vec<(String, Kind)>,
    alias: &'t str,
}

/// A piece of a text.
enum Piece<'t> {
    Plain(&'t str),
    Parameter(usize),
    Table(Declared<'t>),
    /// Behind IN.
    List(Declared<'t>),
}

fn pieces(text: &str) -> DbResult<Vec<Piece<'_>>> {
    let fault = || DbError::Fault(format!("cannot read the parameters of {text}"));
    let number = |digits: &str| digits.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(dollar) = rest.find('$') {
        let (before, from) = rest.split_at(dollar);
        let from = from.get(1..).ok_or_else(fault)?;
        let end = from.find(|c: char| !c.is_ascii_digit()).unwrap_or(from.len());
        let (digits, after) = from.split_at(end);
        let position = number(digits).ok_or_else(fault)?;
        if let Some(before) = before.strip_suffix("rows(") {
            let (inside, after) = after.split_once(')').ok_or_else(fault)?;
            let column = |declared: &str| {
                let mut words = declared.split_whitespace();
                Some((words.next()?.to_owned(), Kind::declared(words.next()?)))
            };
            let columns: Option<Vec<_>> = inside.trim_start_matches(',').split(',').map(column).collect();
            // The end of JOIN does not count.
            let list = before.strip_suffix("IN ").filter(|before| before.ends_with(char::is_whitespace));
            let after = if list.is_some() { after } else { after.trim_start() };
            let named = |c: char| list.is_none() && (c.is_alphanumeric() || c == '_');
            let end = after.find(|c: char| !named(c)).unwrap_or(after.len());
            let (alias, after) = after.split_at(end);
            let declared = Declared { position, columns: columns.ok_or_else(fault)?, alias };
            pieces.extend(match list {
                Some(before) => [Piece::Plain(before), Piece::List(declared)],
                None => [Piece::Plain(before), Piece::Table(declared)],
            });
            rest = after;
        } else {
            pieces.push(Piece::Plain(before));
            pieces.push(Piece::Parameter(position));
            rest = after;
        }
    }
    pieces.push(Piece::Plain(rest));
    Ok(pieces)
}

fn rewrite(text: &str, dialect: Dialect) -> DbResult<(String, Tables)> {
    let pieces = pieces(text)?;
    let mut tables = Tables::default();
    let mut last = 0;
    for piece in &pieces {
        match piece {
            Piece::Plain(_) => {}
            Piece::Parameter(position) => last = last.max(*position),
            Piece::Table(declared) | Piece::List(declared) => {
                last = last.max(declared.position);
                let columns = tables.0.entry(declared.position).or_insert_with(|| declared.columns.clone());
                if *columns != declared.columns {
                    return Err(DbError::Fault(format!("${} is declared twice, differently", declared.position + 1)));
                }
            }
        }
    }
    // On PostgreSQL a table takes one parameter per column.
    let width = |position: usize| match tables.0.get(&position) {
        Some(columns) if dialect == Dialect::Postgres => columns.len(),
        _ => 1,
    };
    let number = |position: usize| 1 + (0..position).map(width).sum::<usize>();
    let mut out = String::with_capacity(text.len() * 2);
    let mut follows_table = false;
    for piece in pieces {
        let joins_table = std::mem::replace(&mut follows_table, matches!(piece, Piece::Table(_)));
        match (piece, dialect) {
            (Piece::Plain(text), Dialect::Postgres) => out.push_str(text),
            (Piece::Plain(text), Dialect::Sqlite) => {
                // The order of a CROSS JOIN is kept. Else a table whose statistics are from when it was empty is read
                // whole, and the values are unpacked anew for each of its rows.
                let text = match text.trim_start().strip_prefix("JOIN ") {
                    Some(joined) if joins_table => &format!(" CROSS JOIN {joined}"),
                    _ => text,
                };
                out.push_str(&text.replace("FOR NO KEY UPDATE SKIP LOCKED", "").replace("FOR NO KEY UPDATE", ""));
            }
            (Piece::Parameter(position), _) => out.push_str(&format!("${}", number(position))),
            (Piece::Table(Declared { position, columns, alias }), Dialect::Postgres) => {
                let from = number(position);
                let arrays: Vec<String> =
                    columns.iter().zip(from..).map(|((_, kind), n)| format!("${n}::{}", kind.postgres())).collect();
                let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
                out.push_str(&format!("UNNEST({}) AS {alias}({})", arrays.join(", "), names.join(", ")));
            }
            (Piece::List(Declared { position, columns, .. }), _) => {
                let [(_, kind)] = columns.as_slice() else {
                    return Err(DbError::Fault("IN rows(…) has one column".into()));
                };
                let from = number(position);
                out.push_str(&match dialect {
                    Dialect::Postgres => format!("= ANY(${from}::{})", kind.postgres()),
                    Dialect::Sqlite => format!("IN (SELECT value->>0 FROM jsonb_each(${from}))"),
                });
            }
            (Piece::Table(Declared { position, columns, alias }), Dialect::Sqlite) => {
                let fields: Vec<String> =
                    columns.iter().zip(0..).map(|((name, _), n)| format!("value->>{n} AS {name}")).collect();
                let from = number(position);
                out.push_str(&format!("(SELECT {} FROM jsonb_each(${from})) AS {alias}", fields.join(", ")));
            }
        }
    }
    Ok((out, tables))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(text: &str, dialect: Dialect) -> String {
        rewrite(text, dialect).unwrap().0
    }

    #[test]
    fn a_rows_table_is_rewritten_for_each_engine() {
        let text = "SELECT r.id FROM rows($2, id BIGINT, on BOOLEAN, email TEXT) r JOIN x ON x.id = r.id AND x.b = $1 \
                    WHERE x.c = $3 FOR NO KEY UPDATE SKIP LOCKED";
        assert_eq!(
            text_of(text, Dialect::Postgres),
            "SELECT r.id FROM UNNEST($2::bigint[], $3::boolean[], $4::text[]) AS r(id, on, email) \
             JOIN x ON x.id = r.id AND x.b = $1 WHERE x.c = $5 FOR NO KEY UPDATE SKIP LOCKED"
        );
        assert_eq!(
            text_of(text, Dialect::Sqlite),
            "SELECT r.id FROM (SELECT value->>0 AS id, value->>1 AS on, value->>2 AS email FROM jsonb_each($2)) AS r \
             CROSS JOIN x ON x.id = r.id AND x.b = $1 WHERE x.c = $3 "
        );
    }

    #[test]
    fn a_table_that_is_used_twice_is_bound_once() {
        let text =
            "SELECT a.id FROM rows($1, id BIGINT) a UNION SELECT b.id FROM rows($1, id BIGINT) b WHERE b.id > $2";
        assert_eq!(
            text_of(text, Dialect::Postgres),
            "SELECT a.id FROM UNNEST($1::bigint[]) AS a(id) UNION SELECT b.id FROM UNNEST($1::bigint[]) AS b(id) WHERE b.id > $2"
        );
        assert!(rewrite("rows($1, id BIGINT) a, rows($1, id TEXT) b", Dialect::Sqlite).is_err());
    }

    #[test]
    fn a_list_is_looked_up() {
        let text = "DELETE FROM q WHERE id IN rows($1, id BIGINT) AND x = $2";
        assert_eq!(text_of(text, Dialect::Postgres), "DELETE FROM q WHERE id = ANY($1::bigint[]) AND x = $2");
        assert_eq!(
            text_of(text, Dialect::Sqlite),
            "DELETE FROM q WHERE id IN (SELECT value->>0 FROM jsonb_each($1)) AND x = $2"
        );
    }

    #[test]
    fn a_joined_table_is_no_list() {
        assert_eq!(
            text_of("SELECT 1 FROM q JOIN rows($1, id BIGINT) r ON r.id = q.id", Dialect::Postgres),
            "SELECT 1 FROM q JOIN UNNEST($1::bigint[]) AS r(id) ON r.id = q.id"
        );
    }

    #[test]
    fn what_is_no_parameter_is_a_fault() {
        for text in [
            "id IN rows($1, id BIGINT, n BIGINT)",
            "rows($1, id BIGINT r",
            "SELECT '$'",
            "rows($1, id) r",
            "rows($0, id BIGINT) r",
        ] {
            assert!(rewrite(text, Dialect::Postgres).is_err(), "{text}");
        }
    }
}
