//! One text of SQL for both engines: [`sql`] binds values and runs it on a [`Conn`].

use std::borrow::Cow;
use std::time::Duration;

use futures::future::BoxFuture;
use sqlx::pool::PoolConnection;
use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, AssertSqlSafe, PgConnection, Postgres, Sqlite, SqliteConnection};

use super::dialect::{self, Text};
use super::row::{Column, FromDb, Rows};
use super::{DbError, DbResult, Table};
use crate::clock::{Day, Instant};

/// A value bound to `$n`. Everything in the database is integer, text or boolean.
#[derive(Debug, Clone)]
pub enum Value {
    Int(Option<i64>),
    Text(Option<String>),
    Bool(Option<bool>),
    /// For `rows(…)`.
    Table(Table),
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
    Table, v => Self::Table(v);
    &Table, v => Self::Table(v.clone());
    Instant, v => Self::Int(Some(v.micros()));
    Option<Instant>, v => Self::Int(v.map(Instant::micros));
    Day, v => Self::Text(Some(v.to_string()));
}

/// A connection of either engine, for reading; a [`super::Tx`] hands one out for writing.
pub enum Conn {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

impl Conn {
    /// The pool does not get it back.
    pub(super) fn close_on_drop(&mut self) {
        match self {
            Self::Sqlite(c) => c.close_on_drop(),
            Self::Postgres(c) => c.close_on_drop(),
        }
    }
}

/// No statement may hold a request longer than this, even on a network that swallows packets.
const DEADLINE: Duration = Duration::from_secs(5);
/// Statements over a whole database, which no request waits for.
const PATIENCE: Duration = Duration::from_secs(3_600);

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
    pub fn execute(self, conn: &mut Conn) -> BoxFuture<'_, DbResult<u64>> {
        Box::pin(async move {
            match conn {
                Conn::Sqlite(c) => self.execute_sqlite(c).await,
                Conn::Postgres(c) => self.execute_postgres(c).await,
            }
        })
    }

    async fn execute_sqlite(self, c: &mut SqliteConnection) -> DbResult<u64> {
        let (text, arguments) = self.for_sqlite()?;
        run_sqlite(c, text, arguments).await
    }

    async fn execute_postgres(self, c: &mut PoolConnection<Postgres>) -> DbResult<u64> {
        let patience = self.deadline;
        let (text, arguments) = self.for_postgres()?;
        let done = run_postgres(c, text, arguments);
        let outcome = deadline(patience, done).await;
        close_if_silent(c, &outcome);
        outcome
    }

    /// All rows of the answer.
    pub async fn all<T: FromDb>(self, conn: &mut Conn) -> DbResult<Vec<T>> {
        self.fetch(conn).await?.all()
    }

    /// Boxed, so that the future of a request does not have room for a driver's at each of its statements.
    fn fetch(self, conn: &mut Conn) -> BoxFuture<'_, DbResult<Rows>> {
        Box::pin(async move {
            match conn {
                Conn::Sqlite(c) => self.fetch_sqlite(c).await,
                Conn::Postgres(c) => self.fetch_postgres(c).await,
            }
        })
    }

    async fn fetch_sqlite(self, c: &mut SqliteConnection) -> DbResult<Rows> {
        let (text, arguments) = self.for_sqlite()?;
        let query = match text {
            Text::Fixed(t) => sqlx::query_with::<Sqlite, _>(t, arguments),
            Text::Built(t) => sqlx::query_with::<Sqlite, _>(AssertSqlSafe(t), arguments),
        };
        Ok(Rows::Sqlite(query.fetch_all(c).await?))
    }

    async fn fetch_postgres(self, c: &mut PoolConnection<Postgres>) -> DbResult<Rows> {
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

    /// The first row, if there is one.
    pub async fn optional<T: FromDb>(self, conn: &mut Conn) -> DbResult<Option<T>> {
        self.fetch(conn).await?.first()
    }

    /// The first row; none is a fault of the statement.
    pub async fn one<T: FromDb>(self, conn: &mut Conn) -> DbResult<T> {
        let text = self.text.clone();
        self.fetch(conn).await?.first()?.ok_or_else(|| no_row(&text))
    }

    /// The first column of the first row.
    pub async fn scalar<T: Column + Send>(self, conn: &mut Conn) -> DbResult<T> {
        Ok(self.one::<(T,)>(conn).await?.0)
    }

    fn for_sqlite(self) -> DbResult<(Text, SqliteArguments)> {
        let (text, tables) = dialect::for_sqlite(self.text)?;
        let mut arguments = SqliteArguments::default();
        for (n, value) in self.values.into_iter().enumerate() {
            match value {
                Value::Int(v) => arguments.add(v),
                Value::Text(v) => arguments.add(v),
                Value::Bool(v) => arguments.add(v),
                Value::Table(table) => arguments.add(table.jsonb(tables.columns(n)?)?),
            }
            .map_err(|e| DbError::Fault(e.to_string()))?;
        }
        Ok((text, arguments))
    }

    fn for_postgres(self) -> DbResult<(Text, PgArguments)> {
        let (text, tables) = dialect::for_postgres(self.text)?;
        let mut arguments = PgArguments::default();
        for (n, value) in self.values.into_iter().enumerate() {
            match value {
                Value::Int(v) => arguments.add(v),
                Value::Text(v) => arguments.add(v),
                Value::Bool(v) => arguments.add(v),
                Value::Table(table) => {
                    table.add_arrays(tables.columns(n)?, &mut arguments)?;
                    Ok(())
                }
            }
            .map_err(|e| DbError::Fault(e.to_string()))?;
        }
        Ok((text, arguments))
    }
}

fn no_row(text: &str) -> DbError {
    DbError::Fault(format!("no row from {text}"))
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

/// A connection abandoned in the middle of an answer must not return to the pool.
fn close_if_silent<T>(c: &mut PoolConnection<Postgres>, outcome: &DbResult<T>) {
    if let Err(DbError::Unavailable(_)) = outcome {
        c.close_on_drop();
    }
}
