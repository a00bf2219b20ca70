//! Calls that reach the servers at the same moment: each connection has sent all but its last byte when
//! the whistle goes.

use std::sync::Arc;

use serde_json::Value as Json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Barrier;

use super::TestApp;

/// One call of a race.
pub struct Call {
    pub method: &'static str,
    /// host:port
    pub to: String,
    pub path: String,
    pub key: String,
    pub body: Json,
    /// A header of its own, with a line end.
    pub header: String,
}

impl Call {
    pub fn new(node: &TestApp, path: &str, body: Json) -> Self {
        let to = node.url("").trim_start_matches("http://").to_owned();
        Self {
            method: "POST",
            to,
            path: path.to_owned(),
            key: node.business.api_key.clone(),
            body,
            header: String::new(),
        }
    }

    /// The call with one more header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.header = format!("{name}: {value}\r\n");
        self
    }

    pub fn put(node: &TestApp, path: &str, body: Json) -> Self {
        Self { method: "PUT", ..Self::new(node, path, body) }
    }

    fn bytes(&self) -> Vec<u8> {
        let body = self.body.to_string();
        format!(
            "{} {} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n{}\r\n{body}",
            self.method,
            self.path,
            self.to,
            self.key,
            body.len(),
            self.header,
        )
        .into_bytes()
    }
}

/// The answers of a race.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    pub status: u16,
    /// As it was sent: JSON numbers keep their decimals here.
    pub text: String,
    pub json: Json,
}

async fn answer(mut stream: TcpStream) -> Reply {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.expect("an answer");
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
    let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).expect("a status");
    Reply { status, text: body.to_owned(), json: serde_json::from_str(body).unwrap_or(Json::Null) }
}

/// Sends everything at once; replies in the order of the calls.
pub async fn at_once(calls: Vec<Call>) -> Vec<Reply> {
    let whistle = Arc::new(Barrier::new(calls.len()));
    let running: Vec<_> = calls
        .into_iter()
        .map(|call| {
            let whistle = whistle.clone();
            tokio::spawn(async move {
                let mut stream = TcpStream::connect(&call.to).await.expect("a connection");
                stream.set_nodelay(true).expect("no delay");
                let bytes = call.bytes();
                let (last, most) = bytes.split_last().expect("a request");
                stream.write_all(most).await.expect("most of the request");
                whistle.wait().await;
                stream.write_all(&[*last]).await.expect("the last byte");
                answer(stream).await
            })
        })
        .collect();
    let mut replies = Vec::with_capacity(running.len());
    for one in running {
        replies.push(one.await.expect("a reply"));
    }
    replies
}
