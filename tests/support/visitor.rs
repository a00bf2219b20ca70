//! A person with a browser that keeps cookies and follows nothing by itself.

use std::sync::{Arc, Mutex};

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, redirect};

use super::Answer;

#[derive(Clone)]
pub struct Visitor {
    client: Client,
    base: Arc<str>,
    /// The stamp of the last page that was seen, without its token.
    stamp: Arc<Mutex<Option<String>>>,
}

/// Addresses after which forms are stamped otherwise.
const TURNS: [&str; 6] = ["/sign-in", "/sign-out", "/switch-", "/test-data", "/setup", "/unsent"];

impl Visitor {
    pub fn new(base: &str) -> Self {
        refdesk::tls::install();
        let client = Client::builder()
            .cookie_store(true)
            .redirect(redirect::Policy::none())
            .no_proxy()
            // Nothing here speaks TLS, and reading the machine's certificates takes longer than many tests.
            .tls_certs_only(std::iter::empty())
            .timeout(std::time::Duration::from_secs(60))
            .build()
            .expect("an HTTP client");
        Self { client, base: base.into(), stamp: Arc::default() }
    }

    /// Somebody else on the same server.
    pub fn stranger(&self) -> Self {
        Self::new(&self.base)
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub async fn get(&self, path: &str) -> Answer {
        let answer = self.send(self.client.get(self.url(path))).await;
        self.look(path, &answer);
        answer
    }

    /// Remembers how the forms of a page are stamped.
    fn look(&self, path: &str, answer: &Answer) {
        let mut known = self.stamp.lock().expect("the stamp");
        if TURNS.iter().any(|turn| path.starts_with(turn)) {
            *known = None;
        } else if answer.status < 400
            && let Some(stamp) = answer.attrs("input[name=stamp]", "value").first()
        {
            *known = stamp.rsplit_once('.').map(|(page, _)| page.to_owned());
        }
    }

    /// The stamp of a form of the page that is looked at, which is one's account where no page was opened.
    pub async fn stamp(&self) -> String {
        let known = || self.stamp.lock().expect("the stamp").clone();
        if known().is_none() {
            self.get("/account").await;
        }
        let token = format!("{:032x}", rand::random::<u128>());
        known().map(|page| format!("{page}.{token}")).unwrap_or_default()
    }

    /// Posts a form of a page as a browser on the same site does, and looks at the page that answers it.
    pub async fn post_form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut fields = fields.to_vec();
        let stamp = self.stamp().await;
        if !fields.iter().any(|(name, _)| *name == "stamp") {
            fields.push(("stamp", &stamp));
        }
        let answer = self.send(self.client.post(self.url(path)).form(&fields)).await;
        self.look(path, &answer);
        let shown = answer.header("location").to_owned();
        if shown.starts_with("/shown/") { Answer { asked: answer.asked, ..self.get(&shown).await } } else { answer }
    }

    /// Posts a form with one file.
    pub async fn post_file(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        field: &str,
        file: &str,
        bytes: impl Into<Vec<u8>>,
    ) -> Answer {
        let part = reqwest::multipart::Part::bytes(bytes.into()).file_name(file.to_owned());
        let mut form = reqwest::multipart::Form::new();
        for (name, value) in fields {
            form = form.text((*name).to_owned(), (*value).to_owned());
        }
        let path = format!("{path}?stamp={}", self.stamp().await);
        let answer = self.send(self.client.post(self.url(&path)).multipart(form.part(field.to_owned(), part))).await;
        let shown = answer.header("location").to_owned();
        if shown.starts_with("/shown/") { Answer { asked: answer.asked, ..self.get(&shown).await } } else { answer }
    }

    /// Any request: method, headers, body.
    pub async fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let headers: HeaderMap = headers
            .iter()
            .map(|(k, v)| {
                (HeaderName::from_bytes(k.as_bytes()).expect("a name"), HeaderValue::from_str(v).expect("a value"))
            })
            .collect();
        self.send(self.client.request(method, self.url(path)).headers(headers).body(body)).await
    }

    /// A call with a key and a JSON body.
    pub async fn call(&self, method: &str, path: &str, key: &str, body: Option<serde_json::Value>) -> Answer {
        let bearer = format!("Bearer {key}");
        let mut headers = vec![("authorization", bearer.as_str())];
        if body.is_some() {
            headers.push(("content-type", "application/json"));
        }
        self.request(method, path, &headers, body.map(|b| b.to_string().into_bytes()).unwrap_or_default()).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let request = request.build().expect("a request");
        let asked = format!("{} {}", request.method(), request.url().path());
        let answer = self.client.execute(request).await.unwrap_or_else(|e| panic!("{asked}: {e:?}"));
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let bytes = answer.bytes().await.unwrap_or_else(|e| panic!("{asked}: {e:?}"));
        let body = String::from_utf8_lossy(&bytes).into_owned();
        Answer { asked, status, headers, body, bytes: bytes.to_vec(), visitor: self.clone() }
    }

    /// Signs in by the form, through a proxy that says from where.
    pub async fn sign_in_from(&self, ip: &str, email: &str, password: &str) -> Answer {
        let form = [("email", email), ("password", password)];
        self.send(self.client.post(self.url("/sign-in")).header("x-forwarded-for", ip).form(&form)).await
    }

    /// Signs in by the form.
    pub async fn sign_in_as(&self, email: &str, password: &str) -> Answer {
        self.post_form("/sign-in", &[("email", email), ("password", password)]).await
    }
}
