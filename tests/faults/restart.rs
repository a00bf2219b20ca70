//! At a signal to stop, the program finishes what it has begun; killed, it is back at once.

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{SIGN_UP, sign_up};
use crate::kill::{Server, free_port};
use crate::on_both_databases;
use crate::support::{Database, Engine, Start, TestApp, is_long, run};

on_both_databases! { who_is_being_served_at_the_end_is_served_to_the_end }

async fn who_is_being_served_at_the_end_is_served_to_the_end(database: Arc<Database>) {
    let app = TestApp::start(database.clone()).await;
    let jane = app.shop().referrer("Jane Miller").await;
    let (mut server, _) = Server::start(&database, free_port()).await;
    let address = server.base.trim_start_matches("http://").to_owned();
    let mut served = Vec::new();
    for n in 0..10 {
        let body = sign_up(&app, &format!("amy{n}@example.com"), &jane.code).to_string();
        let mut stream = TcpStream::connect(&address).await.unwrap();
        let head = format!(
            "POST {SIGN_UP} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nexpect: 100-continue\r\n\r\n",
            app.business.api_key,
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut asked = [0; 25];
        stream.read_exact(&mut asked).await.unwrap();
        served.push((stream, body));
    }
    // One who asks for nothing does not hold it up.
    let idle = TcpStream::connect(&address).await.unwrap();
    let stopped = Instant::now();
    let stop = Command::new("kill").args(["-TERM", &server.process.id().to_string()]).status().unwrap();
    assert!(stop.success());
    while TcpStream::connect(&address).await.is_ok() {
        assert!(stopped.elapsed() < Duration::from_secs(5), "it still takes connections");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for (stream, body) in &mut served {
        stream.write_all(body.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    let ended = loop {
        if let Some(ended) = server.process.try_wait().unwrap() {
            break ended;
        }
        assert!(stopped.elapsed() < Duration::from_secs(10), "it does not end");
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    assert!(ended.success(), "{ended}");
    drop(idle);
    assert_eq!(app.number("SELECT count(*) FROM leads").await, 10);
}

/// A log as long as a reader who never ends makes it; the copy is what a killed process leaves.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_log_is_read_back_at_once() {
    run(Engine::Sqlite, async |left: Arc<Database>| {
        let app = TestApp::start(left.clone()).await;
        app.shop().referrer("Jane Miller").await;
        let file = left.url.trim_start_matches("sqlite://").to_owned();
        let reader = rusqlite::Connection::open(&file).unwrap();
        reader.execute_batch("BEGIN; SELECT count(*) FROM leads").unwrap();
        let writer = rusqlite::Connection::open(&file).unwrap();
        writer.execute_batch("CREATE TABLE filler (x BLOB)").unwrap();
        for _ in 0..64 {
            writer.execute_batch("INSERT INTO filler VALUES (randomblob(1000000))").unwrap();
        }
        let log = std::fs::metadata(format!("{file}-wal")).unwrap().len();
        assert!(log > 60_000_000, "the log has {log} bytes only");

        let found = Database::bare(Engine::Sqlite).await;
        let copy = found.url.trim_start_matches("sqlite://").to_owned();
        for ending in ["", "-wal"] {
            std::fs::copy(format!("{file}{ending}"), format!("{copy}{ending}")).unwrap();
        }
        let (server, took) = Server::start(&found, free_port()).await;
        // A debug build on a busy machine is given more time than the two seconds that are promised.
        assert!(took < Duration::from_secs(if is_long() { 2 } else { 5 }), "ready only after {took:?}");
        let rows: i64 = rusqlite::Connection::open(&copy)
            .unwrap()
            .query_row("SELECT count(*) FROM filler", [], |row| row.get(0))
            .unwrap();
        assert_eq!(rows, 64);
        server.kill();
        found.prove().await;
        writer.execute_batch("DROP TABLE filler").unwrap();
    })
    .await;
}
