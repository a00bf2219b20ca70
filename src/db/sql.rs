//! One text of SQL for both engines: [`sql`] binds values and runs it on a [`Conn`].

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{LazyLock, RwLock};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments, AssertSqlSafe, FromRow, PgConnection, Postgres, Sqlite, SqliteConnection};

use super::{DbError, DbResult};
use crate::clock::{Day, Instant};

/// A value bound to `$n`. Everything in the database is integer, text or boolean.
#[derive(Debug, Clone)]
pub enum Value {
    Int(Option<i64>),
    Text(Option<String>),
    Bool(Option<bool>),
}

macro_rules! value_from {
    ($($ty:ty, $v:ident => $make:expr;)*) => {$(
        impl From<$ty> for Value { fn from($v: $ty) -> Self { $make } }
    )*};
}
value_from! {
    i64, v => Self::Int(Some(v));
    Option<i64>, v => Self::Int(v);
    &str, v => Self::Text(Some(v.to_owned()));
    Option<&str>, v => Self::Text(v.map(str::to_owned));
    &String, v => Self::Text(Some(v.clone()));
    String, v => Self::Text(Some(v));
    Option<String>, v => Self::Text(v);
    &Option<String>, v => Self::Text(v.clone());
    bool, v => Self::Bool(Some(v));
    Instant, v => Self::Int(Some(v.micros()));
    Option<Instant>, v => Self::Int(v.map(Instant::micros));
    Day, v => Self::Text(Some(v.to_string()));
}

/// A connection of either engine, for reading; a [`super::Tx`] hands one out for writing.
pub enum Conn {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

/// No statement may hold a request longer than this, even on a network that swallows packets.
const DEADLINE: Duration = Duration::from_secs(5);
/// Statements over a whole database, which no request waits for.
const PATIENCE: Duration = Duration::from_secs(3_600);

/// A row type that can be read from both engines; [`row!`](crate::row) and tuples are.
pub trait FromDb: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}
impl<T> FromDb for T where T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}

/// A statement being built: text and values.
pub struct Sql {
    text: Cow<'static, str>,
    values: Vec<Value>,
    deadline: Duration,
}

/// A statement whose text is fixed.
pub fn sql(text: &'static str) -> Sql {
    Sql { text: Cow::Borrowed(text), values: Vec::new(), deadline: DEADLINE }
}

/// A statement whose text is put together from fixed pieces; values still go through `bind`.
pub fn sql_built(text: String) -> Sql {
    Sql { text: Cow::Owned(text), values: Vec::new(), deadline: DEADLINE }
}

impl Sql {
    pub fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// For statements over everything: no deadline on our side. On PostgreSQL the transaction lifts its own.
    pub fn patient(mut self) -> Self {
        self.deadline = PATIENCE;
        self
    }

    pub fn bind_all(mut self, values: impl IntoIterator<Item = Value>) -> Self {
        self.values.extend(values);
        self
    }

    /// Runs the statement and answers how many rows it changed.
    pub async fn execute(self, conn: &mut Conn) -> DbResult<u64> {
        match conn {
            Conn::Sqlite(c) => {
                let (text, arguments) = self.for_sqlite()?;
                run_sqlite(c, text, arguments).await
            }
            Conn::Postgres(c) => {
                let patience = self.deadline;
                let (text, arguments) = self.for_postgres()?;
                let done = run_postgres(c, text, arguments);
                let outcome = deadline(patience, done).await;
                close_if_silent(c, &outcome);
                outcome
            }
        }
    }

    /// All rows of the answer.
    pub async fn all<T: FromDb>(self, conn: &mut Conn) -> DbResult<Vec<T>> {
        // The drivers' machinery is compiled once, not once per kind of row: it is the larger part by far.
        match self.fetch(conn).await? {
            Rows::Sqlite(rows) => rows.iter().map(|row| Ok(T::from_row(row)?)).collect(),
            Rows::Postgres(rows) => rows.iter().map(|row| Ok(T::from_row(row)?)).collect(),
        }
    }

    async fn fetch(self, conn: &mut Conn) -> DbResult<Rows> {
        match conn {
            Conn::Sqlite(c) => {
                let (text, arguments) = self.for_sqlite()?;
                let query = match text {
                    Text::Fixed(t) => sqlx::query_with::<Sqlite, _>(t, arguments),
                    Text::Built(t) => sqlx::query_with::<Sqlite, _>(AssertSqlSafe(t), arguments),
                };
                Ok(Rows::Sqlite(query.fetch_all(&mut **c).await?))
            }
            Conn::Postgres(c) => {
                let patience = self.deadline;
                let (text, arguments) = self.for_postgres()?;
                let query = match text {
                    Text::Fixed(t) => sqlx::query_with::<Postgres, _>(t, arguments),
                    Text::Built(t) => sqlx::query_with::<Postgres, _>(AssertSqlSafe(t), arguments),
                };
                let outcome = deadline(patience, async { Ok(query.fetch_all(&mut **c).await?) }).await;
                close_if_silent(c, &outcome);
                Ok(Rows::Postgres(outcome?))
            }
        }
    }

    /// The first row, if there is one.
    pub async fn optional<T: FromDb>(self, conn: &mut Conn) -> DbResult<Option<T>> {
        Ok(self.all(conn).await?.into_iter().next())
    }

    /// The first row; none is a fault of the statement.
    pub async fn one<T: FromDb>(self, conn: &mut Conn) -> DbResult<T> {
        let text = self.text.clone();
        self.optional(conn).await?.ok_or_else(|| DbError::Fault(format!("no row from {text}")))
    }

    /// The first column of the first row.
    pub async fn scalar<T>(self, conn: &mut Conn) -> DbResult<T>
    where
        (T,): FromDb,
    {
        Ok(self.one::<(T,)>(conn).await?.0)
    }

    fn for_sqlite(self) -> DbResult<(Text, SqliteArguments)> {
        let mut arguments = SqliteArguments::default();
        for value in self.values {
            match value {
                Value::Int(v) => arguments.add(v),
                Value::Text(v) => arguments.add(v),
                Value::Bool(v) => arguments.add(v),
            }
            .map_err(|e| DbError::Fault(e.to_string()))?;
        }
        Ok((rewritten(self.text, Dialect::Sqlite), arguments))
    }

    fn for_postgres(self) -> DbResult<(Text, PgArguments)> {
        let mut arguments = PgArguments::default();
        for value in self.values {
            match value {
                Value::Int(v) => arguments.add(v),
                Value::Text(v) => arguments.add(v),
                Value::Bool(v) => arguments.add(v),
            }
            .map_err(|e| DbError::Fault(e.to_string()))?;
        }
        Ok((rewritten(self.text, Dialect::Postgres), arguments))
    }
}

/// Rows as a driver hands them over.
enum Rows {
    Sqlite(Vec<SqliteRow>),
    Postgres(Vec<PgRow>),
}

enum Text {
    Fixed(&'static str),
    Built(String),
}

async fn run_sqlite(c: &mut SqliteConnection, text: Text, arguments: SqliteArguments) -> DbResult<u64> {
    let query = match text {
        Text::Fixed(t) => sqlx::query_with::<Sqlite, _>(t, arguments),
        Text::Built(t) => sqlx::query_with::<Sqlite, _>(AssertSqlSafe(t), arguments),
    };
    Ok(query.execute(c).await?.rows_affected())
}

async fn run_postgres(c: &mut PgConnection, text: Text, arguments: PgArguments) -> DbResult<u64> {
    let query = match text {
        Text::Fixed(t) => sqlx::query_with::<Postgres, _>(t, arguments),
        Text::Built(t) => sqlx::query_with::<Postgres, _>(AssertSqlSafe(t), arguments),
    };
    Ok(query.execute(c).await?.rows_affected())
}

async fn deadline<T>(patience: Duration, work: impl Future<Output = DbResult<T>>) -> DbResult<T> {
    match tokio::time::timeout(patience, work).await {
        Ok(outcome) => outcome,
        Err(_) => Err(DbError::Unavailable("the database did not answer in time".into())),
    }
}

/// A connection that was given up in the middle of an answer must not go back into the pool.
fn close_if_silent<T>(c: &mut PoolConnection<Postgres>, outcome: &DbResult<T>) {
    if let Err(DbError::Unavailable(_)) = outcome {
        c.close_on_drop();
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Dialect {
    Sqlite,
    Postgres,
}

type Rewrites = RwLock<HashMap<(Dialect, usize, usize), &'static str>>;

/// Fixed texts are rewritten once; they are few, and live as long as the program.
static REWRITES: LazyLock<Rewrites> = LazyLock::new(Rewrites::default);

fn rewritten(text: Cow<'static, str>, dialect: Dialect) -> Text {
    let needs = text.contains("rows($") || text.contains("FOR NO KEY UPDATE");
    match text {
        Cow::Borrowed(t) if !needs => Text::Fixed(t),
        Cow::Owned(t) if !needs => Text::Built(t),
        Cow::Owned(t) => Text::Built(rewrite(&t, dialect)),
        Cow::Borrowed(t) => {
            let key = (dialect, t.as_ptr().addr(), t.len());
            if let Some(known) = REWRITES.read().ok().and_then(|map| map.get(&key).copied()) {
                return Text::Fixed(known);
            }
            let made: &'static str = rewrite(t, dialect).leak();
            if let Ok(mut map) = REWRITES.write() {
                map.insert(key, made);
            }
            Text::Fixed(made)
        }
    }
}

/// Turns `rows($1, id BIGINT, email TEXT) r` into what each engine calls it, and drops row locks
/// where there is only one writer.
fn rewrite(text: &str, dialect: Dialect) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let mut rest = text;
    while let Some(start) = rest.find("rows($") {
        out.push_str(&rest[..start]);
        let inside = &rest[start + "rows(".len()..];
        let (Some(comma), Some(close)) = (inside.find(','), inside.find(')')) else { break };
        let parameter = inside[..comma].trim();
        let columns = inside[comma + 1..close].trim();
        let after = inside[close + 1..].trim_start();
        let alias_end = after.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(after.len());
        let alias = &after[..alias_end];
        match dialect {
            Dialect::Postgres => {
                out.push_str(&format!("jsonb_to_recordset({parameter}::jsonb) AS {alias}({columns})"));
            }
            Dialect::Sqlite => {
                let fields: Vec<String> = columns
                    .split(',')
                    .filter_map(|column| column.split_whitespace().next())
                    .map(|name| format!("value->>'{name}' AS {name}"))
                    .collect();
                out.push_str(&format!("(SELECT {} FROM json_each({parameter})) AS {alias}", fields.join(", ")));
            }
        }
        rest = &after[alias_end..];
    }
    out.push_str(rest);
    if dialect == Dialect::Sqlite {
        out = out.replace("FOR NO KEY UPDATE SKIP LOCKED", "").replace("FOR NO KEY UPDATE", "");
    }
    out
}

/// The text of a JSON array of objects, written by [`rows!`](crate::rows).
#[derive(Default)]
pub struct RowsJson {
    text: String,
    first: bool,
}

impl RowsJson {
    pub fn new() -> Self {
        Self { text: String::from("["), first: true }
    }
    pub fn open(&mut self) {
        if self.text.len() > 1 {
            self.text.push(',');
        }
        self.text.push('{');
        self.first = true;
    }
    pub fn close(&mut self) {
        self.text.push('}');
    }
    pub fn finish(mut self) -> String {
        self.text.push(']');
        self.text
    }
    fn name(&mut self, name: &str) {
        if !std::mem::take(&mut self.first) {
            self.text.push(',');
        }
        self.text.push('"');
        self.text.push_str(name);
        self.text.push_str("\":");
    }
}

/// A value that can be one field of a `rows(…)` table.
pub trait RowJson {
    fn put(&self, name: &str, json: &mut RowsJson) {
        json.name(name);
        self.write(&mut json.text);
    }
    fn write(&self, text: &mut String);
}

impl RowJson for i64 {
    fn write(&self, text: &mut String) {
        text.push_str(&self.to_string());
    }
}
impl RowJson for bool {
    fn write(&self, text: &mut String) {
        text.push_str(if *self { "true" } else { "false" });
    }
}
impl RowJson for str {
    fn write(&self, text: &mut String) {
        text.push('"');
        for c in self.chars() {
            match c {
                '"' => text.push_str("\\\""),
                '\\' => text.push_str("\\\\"),
                c if u32::from(c) < 0x20 => text.push_str(&format!("\\u{:04x}", u32::from(c))),
                c => text.push(c),
            }
        }
        text.push('"');
    }
}
impl RowJson for String {
    fn write(&self, text: &mut String) {
        self.as_str().write(text);
    }
}
impl RowJson for Instant {
    fn write(&self, text: &mut String) {
        self.micros().write(text);
    }
}
impl RowJson for Day {
    fn write(&self, text: &mut String) {
        self.to_string().write(text);
    }
}
impl<T: RowJson + ?Sized> RowJson for &T {
    fn write(&self, text: &mut String) {
        (**self).write(text);
    }
}
impl<T: RowJson> RowJson for Option<T> {
    fn write(&self, text: &mut String) {
        match self {
            Some(value) => value.write(text),
            None => text.push_str("null"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows;

    #[test]
    fn a_rows_table_is_rewritten_for_each_engine() {
        let text =
            "SELECT r.id FROM rows($1, id BIGINT, email TEXT) r JOIN x ON x.id = r.id FOR NO KEY UPDATE SKIP LOCKED";
        assert_eq!(
            rewrite(text, Dialect::Postgres),
            "SELECT r.id FROM jsonb_to_recordset($1::jsonb) AS r(id BIGINT, email TEXT) JOIN x ON x.id = r.id FOR NO KEY UPDATE SKIP LOCKED"
        );
        assert_eq!(
            rewrite(text, Dialect::Sqlite),
            "SELECT r.id FROM (SELECT value->>'id' AS id, value->>'email' AS email FROM json_each($1)) AS r JOIN x ON x.id = r.id "
        );
    }

    #[test]
    fn rows_are_json_with_every_value_escaped() {
        let items = vec![(1_i64, Some("a\"b\\c\n"), true), (2, None, false)];
        let json = rows!(&items, (id, name, on) => { id: *id, name: *name, on: *on });
        assert_eq!(json, r#"[{"id":1,"name":"a\"b\\c\u000a","on":true},{"id":2,"name":null,"on":false}]"#);
    }
}
