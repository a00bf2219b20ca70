//! The tools of the tests: [`TestApp`] is a real server with a business in it, [`Visitor`] a person
//! with a browser, [`Answer`] what they got. A test is an async function that takes what it needs;
//! [`on_both_databases!`](crate::on_both_databases) runs it on SQLite and on PostgreSQL.
#![allow(dead_code, unused_imports, reason = "a toolbox: not every tool is in use at every moment")]

use std::sync::Arc;

mod answer;
mod app;
mod browser;
mod build;
mod database;
mod outcome;
pub mod pdf;
pub mod proxy;
pub mod race;
mod visitor;

pub use answer::Answer;
pub use app::{Business, EmptyApp, PASSWORD, SECRET_KEY, TestApp, ThreeNodes, run_text};
pub use browser::Browser;
pub use build::{Named, Referrer, Shop, actor, address_of, day, earned, email, money, rate};
pub use database::{Database, Engine};
pub use outcome::Outcome;
pub use visitor::Visitor;

/// The argument of a test.
pub trait Start: Sized {
    fn start(database: Arc<Database>) -> impl Future<Output = Self> + Send;
}

/// True when the longer tests are asked for: `tests/run --long`.
pub fn is_long() -> bool {
    std::env::var_os("REFDESK_LONG").is_some()
}

/// Runs one test on what it asks for, then proves the invariants of money and attribution over what it
/// left behind.
pub async fn run<T: Start, F: AsyncFnOnce(T)>(engine: Engine, test: F) {
    let database = Arc::new(Database::new(engine).await);
    test(T::start(database.clone()).await).await;
    database.prove().await;
}

/// Makes `NAME::sqlite` and `NAME::postgres` of each test. Each run has a database of its own.
#[macro_export]
macro_rules! on_both_databases {
    ($($name:ident),+ $(,)?) => {$(
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                $crate::support::run($crate::support::Engine::Sqlite, super::$name).await;
            }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                $crate::support::run($crate::support::Engine::Postgres, super::$name).await;
            }
        }
    )+};
}
