//! What every contract does with addresses, methods and bodies that are not as documented, over raw connections: clients
//! tidy what they send.

use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::on_both_databases;
use crate::support::TestApp;

on_both_databases! {
    unknown_addresses_are_answered_by_contract,
    programs_hear_json_and_people_see_pages,
    packed_bodies_are_read_within_their_limits,
    an_endless_body_is_refused_at_once,
    methods_are_answered_by_contract,
}

/// A call that each contract takes with POST, and the member of its errors that holds the status or code.
const POSTS: [(&str, &str); 4] = [
    ("/v1/leads", "detail"),
    ("/api/events/customer-created", "success"),
    ("/business/lead/create", "error"),
    ("/api/v2/users", "message"),
];

struct Raw {
    status: u16,
    head: String,
    body: String,
}

impl Raw {
    fn json(&self) -> Json {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}\n{}", self.head, self.body))
    }

    fn header(&self, name: &str) -> &str {
        let of = |line: &'_ str| line.to_lowercase().starts_with(&format!("{name}:"));
        self.head.lines().find(|line| of(line)).map_or("", |line| line[name.len() + 1..].trim())
    }
}

/// The answer to these bytes, which the server must give within two seconds although nothing else is sent.
async fn raw(app: &TestApp, head: &str, body: &[u8]) -> Raw {
    let mut stream = TcpStream::connect(app.url("").trim_start_matches("http://")).await.expect("a connection");
    stream.write_all(format!("{head}\r\n\r\n").as_bytes()).await.expect("the head is sent");
    stream.write_all(body).await.expect("the body is sent");
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).expect("a status");
            let answer = Raw { status, head: head.to_owned(), body: body.to_owned() };
            let length = answer.header("content-length").parse().unwrap_or_default();
            if body.len() >= length {
                return answer;
            }
        }
        let read = tokio::time::timeout(Duration::from_secs(2), stream.read_buf(&mut bytes)).await;
        assert_ne!(read.expect("an answer at once").expect("a connection"), 0, "closed after {text}");
    }
}

fn keyed(app: &TestApp, method: &str, path: &str, more: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}{more}", app.business.api_key)
}

async fn unknown_addresses_are_answered_by_contract(app: TestApp) {
    for (path, member) in POSTS {
        let upper = path.to_uppercase();
        let doubled = path.replace('/', "//");
        let (first, last) = path.rsplit_once('/').expect("a slash");
        for asked in [
            format!("{path}/"),
            format!("/{path}"),
            format!("{first}//{last}"),
            format!("{first}{last}"),
            format!("{path}x"),
            format!("{path}/nothing/here"),
            upper,
            doubled,
        ] {
            for head in [format!("GET {asked} HTTP/1.1\r\nhost: x"), keyed(&app, "POST", &asked, "")] {
                let answer = raw(&app, &head, b"").await;
                if answer.status == 405 || (answer.status == 404 && asked.ends_with("here")) {
                    // An address of another call, as one with an id in it.
                    answer.json();
                    continue;
                }
                assert_eq!(answer.status, 404, "{asked}: {}", answer.body);
                assert!(!answer.json()[member].is_null(), "{asked}: {}", answer.body);
                if !asked.ends_with("here") {
                    assert!(answer.body.contains(&format!("The nearest is {path}.")), "{asked}: {}", answer.body);
                }
            }
        }
    }
    // The log of calls has what a key asked for.
    app.app.calls.flush(&app.app.db, &app.app.ids).await.expect("the log is written");
    assert!(app.number("SELECT count(*) FROM calls WHERE status = 404 AND path LIKE '/V1/%'").await > 0);
}

async fn programs_hear_json_and_people_see_pages(app: TestApp) {
    let browser = "\r\naccept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    for (more, is_json) in [
        ("\r\naccept: application/json", true),
        ("\r\naccept: application/problem+json, */*", true),
        ("\r\nauthorization: Bearer nonsense", true),
        ("\r\nauthorization: nonsense\r\naccept: */*", true),
        ("", false),
        (browser, false),
    ] {
        for path in ["/nothing", "/lead", "/index.php", "/v3/leads"] {
            let answer = raw(&app, &format!("GET {path} HTTP/1.1\r\nhost: x{more}"), b"").await;
            assert_eq!(answer.status, 404, "{path} {more}");
            assert_eq!(answer.header("content-type") == "application/problem+json", is_json, "{path} {more}");
            assert_eq!(answer.header("cache-control"), "no-store");
            if is_json {
                assert_eq!(answer.json()["instance"], json!(answer.header("x-request-id")));
            }
        }
    }
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain).expect("it is packed");
    encoder.finish().expect("it is packed")
}

async fn packed_bodies_are_read_within_their_limits(app: TestApp) {
    let body = |path: &str, n: usize| {
        let body = match path {
            "/api/events/customer-created" => json!({
                "businessId": app.business.public_id, "productId": app.business.product_id, "customerName": "Amy",
                "customerEmail": format!("rn{n}@example.com"),
            }),
            "/api/v2/users" => json!({
                "campaign_id": app.business.campaign_id, "first_name": "Amy", "email": format!("rf{n}@example.com"),
            }),
            _ => json!({ "name": "Amy", "email": format!("{}{n}@example.com", path.len()) }),
        };
        body.to_string().into_bytes()
    };
    for (path, member) in POSTS {
        let post = |encoding: &str, length: usize| {
            let more = format!(
                "\r\ncontent-type: application/json\r\ncontent-encoding: {encoding}\r\ncontent-length: {length}"
            );
            keyed(&app, "POST", path, &more)
        };
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(&body(path, 2)).expect("it is packed");
        for (encoding, packed) in [
            ("gzip", gzip(&body(path, 0))),
            ("X-GZIP", gzip(&body(path, 1))),
            ("deflate", zlib.finish().expect("it is packed")),
            ("identity", body(path, 3)),
        ] {
            let answer = raw(&app, &post(encoding, packed.len()), &packed).await;
            assert!(matches!(answer.status, 200 | 201), "{path} {encoding}: {} {}", answer.status, answer.body);
        }
        let bomb = gzip(&vec![b' '; 30 << 20]);
        assert!(bomb.len() < 60_000, "it looks small");
        for (encoding, packed, status, said) in [
            ("gzip", bomb, 413, "too large"),
            ("gzip", body(path, 4), 400, "gzip"),
            ("br", body(path, 4), 415, "br"),
            ("zstd", body(path, 4), 415, "zstd"),
            ("gzip, gzip", gzip(&gzip(&body(path, 4))), 415, "gzip, gzip"),
        ] {
            let answer = raw(&app, &post(encoding, packed.len()), &packed).await;
            assert_eq!(answer.status, status, "{path} {encoding}: {}", answer.body);
            assert!(answer.body.contains(said) && !answer.json()[member].is_null(), "{path}: {}", answer.body);
            assert_eq!(answer.header("accept-encoding"), if status == 415 { "gzip, deflate" } else { "" });
        }
    }
    // The same call in another packing is the same call.
    let new = body("/v1/leads", 9);
    let mut answers = Vec::new();
    for (encoding, packed) in [("identity", new.clone()), ("gzip", gzip(&new))] {
        let more = format!(
            "\r\ncontent-type: application/json\r\nidempotency-key: one\r\ncontent-encoding: {encoding}\r\ncontent-length: {}",
            packed.len()
        );
        answers.push(raw(&app, &keyed(&app, "POST", "/v1/leads", &more), &packed).await);
    }
    assert_eq!((answers[0].status, answers[1].status), (201, 201));
    assert_eq!(answers[1].header("idempotency-replayed"), "true");
}

async fn an_endless_body_is_refused_at_once(app: TestApp) {
    for (path, member) in POSTS {
        for length in ["10000000000", "70000"] {
            let more = format!("\r\ncontent-type: application/json\r\ncontent-length: {length}");
            let answer = raw(&app, &keyed(&app, "POST", path, &more), b"").await;
            assert_eq!(answer.status, 413, "{path}: {}", answer.body);
            assert!(!answer.json()[member].is_null(), "{path}: {}", answer.body);
        }
    }
    for path in ["/sign-in", "/nothing", "/imports"] {
        let form = "content-type: application/x-www-form-urlencoded\r\ncontent-length: 10000000000";
        let answer = raw(&app, &format!("POST {path} HTTP/1.1\r\nhost: x\r\n{form}"), b"").await;
        assert_eq!((answer.status, answer.header("connection")), (413, "close"), "{path}");
    }
    let form = "content-type: application/x-www-form-urlencoded\r\ncontent-length: 900000";
    assert_eq!(raw(&app, &format!("POST /sign-in HTTP/1.1\r\nhost: x\r\n{form}"), b"").await.status, 413);
    // A caller who goes on sending hears the answer as well.
    let more = "\r\ncontent-type: application/json\r\ncontent-length: 3000000";
    let answer = raw(&app, &keyed(&app, "POST", "/v1/leads", more), &vec![b' '; 3_000_000]).await;
    assert_eq!(answer.status, 413);
}

async fn methods_are_answered_by_contract(app: TestApp) {
    for (path, member) in POSTS {
        for method in ["PATCH", "OPTIONS", "TRACE"] {
            let answer = raw(&app, &keyed(&app, method, path, ""), b"").await;
            assert_eq!(answer.status, 405, "{method} {path}: {}", answer.body);
            assert!(answer.header("allow").contains("POST"), "{path}: {}", answer.head);
            assert!(!answer.json()[member].is_null(), "{path}: {}", answer.body);
        }
    }
    for path in ["/v1/leads", "/business/lead/list", "/api/v2/users", "/v1/me"] {
        let (get, head) =
            (raw(&app, &keyed(&app, "GET", path, ""), b"").await, raw_head(&app, &keyed(&app, "HEAD", path, "")).await);
        assert_eq!((get.status, head.status), (200, 200), "{path}");
        assert_eq!(get.header("content-length"), head.header("content-length"), "{path}");
        assert!(head.body.is_empty(), "{path}: {}", head.body);
        assert!(raw(&app, &keyed(&app, "OPTIONS", path, ""), b"").await.header("allow").contains("GET,HEAD"), "{path}");
    }
    assert_eq!(raw_head(&app, &keyed(&app, "HEAD", "/api/events/customer-created", "")).await.status, 405);
}

/// As [`raw`], of an answer that has a length and no body.
async fn raw_head(app: &TestApp, head: &str) -> Raw {
    let mut stream = TcpStream::connect(app.url("").trim_start_matches("http://")).await.expect("a connection");
    stream.write_all(format!("{head}\r\nconnection: close\r\n\r\n").as_bytes()).await.expect("the head is sent");
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.expect("an answer");
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).expect("a status");
    Raw { status, head: head.to_owned(), body: body.to_owned() }
}
