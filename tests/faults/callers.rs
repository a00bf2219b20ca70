//! Callers who dawdle, overdo it or hang up, and handlers that panic.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use refdesk::web::{layers, server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::{SIGN_UP, sign_up};
use crate::on_both_databases;
use crate::support::{EmptyApp, TestApp, Visitor};

on_both_databases! {
    who_dawdles_is_cut_off,
    what_is_too_long_is_refused_in_words,
    a_panic_tells_nothing,
    who_hangs_up_is_recorded_all_the_same,
}

async fn connect(app: &EmptyApp) -> TcpStream {
    TcpStream::connect(app.url("").trim_start_matches("http://")).await.expect("a connection")
}

/// All that comes until the server closes the connection.
async fn until_closed(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut bytes)).await;
    // A reset is an end as well.
    let _ = read.expect("the server closes the connection");
    String::from_utf8_lossy(&bytes).into_owned()
}

fn head(app: &TestApp, path: &str, kind: &str, more: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: {kind}\r\n{more}\r\n",
        app.business.api_key
    )
}

async fn who_dawdles_is_cut_off(app: TestApp) {
    let hasty = app.with_patience(Duration::from_millis(300)).await;
    for start in ["", "GET / HTTP/1.1\r\nhost:", "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"] {
        let mut stream = connect(&hasty).await;
        stream.write_all(start.as_bytes()).await.unwrap();
        let answer = until_closed(&mut stream).await;
        assert_eq!(answer.starts_with("HTTP/1.1 200"), start.ends_with("\r\n\r\n"), "{answer}");
    }
    let form = "application/x-www-form-urlencoded";
    let cases = [
        (SIGN_UP, "application/json", "\"code\":\"request_timeout\""),
        ("/api/v2/users", "application/json", "\"code\":408"),
        ("/sign-in", form, "<h1>Too slow</h1>"),
    ];
    for (path, kind, words) in cases {
        let mut stream = connect(&hasty).await;
        let head = head(&app, path, kind, "content-length: 1000\r\nconnection: close\r\n");
        stream.write_all(format!("{head}{{\"a").as_bytes()).await.unwrap();
        let answer = until_closed(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 408") && answer.contains(words), "{path}: {answer}");
    }
}

/// The server ends the connection of a caller who reads no answer.
#[tokio::test]
async fn who_does_not_take_the_answer_is_cut_off() {
    let (ended, is_let_go) = tokio::sync::oneshot::channel::<()>();
    let ended = Arc::new(Mutex::new(Some(ended)));
    let answer = move || {
        let ended = ended.lock().unwrap().take();
        let endless = futures::stream::repeat_with(move || {
            let _held = &ended;
            Ok::<_, std::io::Error>(vec![b'x'; 64 * 1024])
        });
        async { Body::from_stream(endless) }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/", get(answer));
    tokio::spawn(server::serve(listener, router, Duration::from_millis(300), CancellationToken::new()));
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let let_go = tokio::time::timeout(Duration::from_secs(10), is_let_go).await;
    assert!(let_go.is_ok(), "the server holds on");
}

async fn what_is_too_long_is_refused_in_words(app: TestApp) {
    let long = "x".repeat(9_000);
    let many: Vec<(String, String)> = (0..5).map(|n| (format!("x-{n}"), "y".repeat(8_000))).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    for (path, words) in
        [("/api/events/customer-created", "uri_too_long"), ("/api/v1/users", "\"code\":414"), ("/sign-in", "<h1>")]
    {
        let answer = app.get(&format!("{path}?{long}")).await.is(414);
        assert!(answer.body.contains(words) && !answer.header("x-request-id").is_empty(), "{answer:?}");
        let words = words.replace("uri_too_long", "headers_too_large").replace("414", "431");
        let answer = app.request("GET", path, &many, Vec::new()).await.is(431);
        assert!(answer.body.contains(&words), "{answer:?}");
    }
    let bearer = format!("Bearer {}", app.business.api_key);
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let huge = vec![b' '; 1_100_000];
    let answer = app.request("POST", SIGN_UP, &headers, huge[..70_000].to_vec()).await.is(413);
    assert_eq!(answer.json()["code"], "payload_too_large");
    let answer = app.request("POST", "/api/v2/users", &headers, huge.clone()).await.is(413);
    assert_eq!(answer.json()["code"], 413);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let answer = app.request("POST", "/sign-in", &form, huge).await.is(413);
    assert!(answer.has("h1"), "{answer:?}");
    // More than the connection itself can hold ends it.
    let mut stream = connect(&app).await;
    let _ = stream.write_all(format!("GET /{} HTTP/1.1\r\n", "x".repeat(1 << 20)).as_bytes()).await;
    let answer = until_closed(&mut stream).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    app.get("/healthz").await.is(200);
}

async fn a_panic_tells_nothing(app: TestApp) {
    async fn boom() -> &'static str {
        panic!("the secret of row 17");
    }
    let routes =
        Router::new().route("/api/events/boom", get(boom)).route("/api/v2/boom", get(boom)).route("/boom", get(boom));
    let router = layers::all(routes, &app.app.config, refdesk::api::in_words);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let visitor = Visitor::new(&format!("http://{}", listener.local_addr().unwrap()));
    let (patience, stop) = (app.app.config.patience, app.app.stop.clone());
    tokio::spawn(server::serve(listener, router, patience, stop));
    for (path, words) in
        [("/api/events/boom", "\"code\":\"internal_error\""), ("/api/v2/boom", "\"code\":500"), ("/boom", "<h1>")]
    {
        let answer = visitor.get(path).await.is(500);
        assert!(answer.body.contains(words), "{answer:?}");
        assert!(!answer.body.contains("secret") && !answer.body.contains(".rs"), "{answer:?}");
        assert!(!answer.header("x-request-id").is_empty() && !answer.header("content-security-policy").is_empty());
    }
}

/// The caller is gone while the event waits to be written: it is written, once and whole.
async fn who_hangs_up_is_recorded_all_the_same(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    app.shop().lead("warm@example.com", Some(&jane.code)).await;
    let mut gone = Vec::new();
    for n in 0..40 {
        let body = sign_up(&app, &format!("amy{n}@example.com"), &jane.code).to_string();
        let more = format!("content-length: {}\r\nexpect: 100-continue\r\n", body.len());
        let mut stream = connect(&app).await;
        stream.write_all(head(&app, SIGN_UP, "application/json", &more).as_bytes()).await.unwrap();
        // The handler runs once it asks for the body.
        let mut asked = [0; 25];
        stream.read_exact(&mut asked).await.unwrap();
        assert!(asked.starts_with(b"HTTP/1.1 100 Continue"));
        gone.push((stream, body));
    }
    for (mut stream, body) in gone {
        stream.write_all(body.as_bytes()).await.unwrap();
        drop(stream);
    }
    // A later caller waits behind them, and finds each of them whole or not at all.
    let mut there = 0;
    for n in 0..40 {
        let answer = app.api_post(SIGN_UP, sign_up(&app, &format!("amy{n}@example.com"), &jane.code)).await;
        assert!(matches!(answer.status, 200 | 409), "{answer:?}");
        there += u32::from(answer.status == 409);
    }
    assert!(there > 0, "not one of those who hung up was recorded");
    for table in ["leads", "touches", "sign_ups"] {
        assert_eq!(app.number(&format!("SELECT count(*) FROM {table}")).await, 41, "{table}");
    }
}
