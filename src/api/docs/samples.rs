//! One call in four languages, filled with the ids of the signed-in person's business.

use serde_json::{Value as Json_, json};

use super::print::{Literals, literal, tinted};
use super::reading::Call;
use crate::query::encode;

/// The values for the examples. Without a business, the ids of the examples stay.
pub struct Filler {
    pub base: String,
    pub business: Option<Own>,
}

/// A business's own ids.
pub struct Own {
    pub business: String,
    pub product: Option<String>,
    pub campaign: String,
    pub campaign_number: i64,
}

/// A call in a language, as HTML.
pub struct Sample {
    /// As the choice of languages names it.
    pub language: &'static str,
    pub html: String,
}

impl Filler {
    fn own(&self, name: &str) -> Option<Json_> {
        let own = self.business.as_ref()?;
        match name {
            "businessId" | "business" => Some(json!(own.business)),
            "productId" | "product" => own.product.as_ref().map(|id| json!(id)),
            "campaign" => Some(json!(own.campaign)),
            "campaign_id" => Some(json!(own.campaign_number)),
            _ => None,
        }
    }

    /// An example with the business's own ids in it.
    pub fn fill(&self, value: &Json_) -> Json_ {
        match value {
            Json_::Object(object) => {
                let filled = object.iter().map(|(name, field)| {
                    let own = self.own(name).filter(|_| !field.is_object() && !field.is_null());
                    (name.clone(), own.unwrap_or_else(|| self.fill(field)))
                });
                Json_::Object(filled.collect())
            }
            Json_::Array(items) => Json_::Array(items.iter().map(|item| self.fill(item)).collect()),
            other => other.clone(),
        }
    }

    /// The address of a call, with everything in it that has to be.
    fn url(&self, call: &Call) -> String {
        let mut path = call.path.clone();
        let mut query = Vec::new();
        for given in call.given() {
            let value = self.own(&given.name).unwrap_or_else(|| given.example.clone());
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            match given.location {
                "path" => path = path.replace(&format!("{{{}}}", given.name), &encode(&text)),
                "query" => query.push(format!("{}={}", given.name, encode(&text))),
                _ => {}
            }
        }
        let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
        format!("{}{path}{query}", self.base)
    }

    /// The call in every language.
    pub fn samples(&self, call: &Call) -> Vec<Sample> {
        let url = self.url(call);
        let body = call.body_example.as_ref().map(|example| self.fill(example));
        let body = body.as_ref();
        let all = [
            ("curl", curl(call, &url, body)),
            ("js", javascript(call, &url, body)),
            ("php", php(call, &url, body)),
            ("python", python(call, &url, body)),
        ];
        all.into_iter().map(|(language, text)| Sample { language, html: tinted(&text) }).collect()
    }

    /// An example answer.
    pub fn answer(&self, example: &Json_) -> String {
        tinted(&literal(&self.fill(example), Literals::Json, 0))
    }
}

/// Headers of a call.
fn headers(call: &Call, body: Option<&Json_>) -> Vec<(&'static str, &'static str)> {
    let key = (!call.open).then_some(("Authorization", "Bearer YOUR_API_KEY"));
    let kind = body.map(|b| ("Content-Type", if b.is_string() { "text/csv" } else { "application/json" }));
    key.into_iter().chain(kind).collect()
}

fn curl(call: &Call, url: &str, body: Option<&Json_>) -> String {
    let method = match (call.method.as_str(), body) {
        ("GET", _) | ("POST", Some(_)) => String::new(),
        (method, _) => format!("-X {method} "),
    };
    let mut lines = vec![format!("curl {method}\"{url}\"")];
    lines.extend(headers(call, body).iter().map(|(name, value)| format!("  -H \"{name}: {value}\"")));
    // A quotation mark ends the text for the shell; `-d` would take the ends of lines out of a file.
    lines.extend(body.map(|b| match b.as_str() {
        Some(file) => format!("  --data-binary '{}'", file.replace('\'', "'\\''")),
        None => format!("  -d '{}'", literal(b, Literals::Json, 0).replace('\'', "'\\''")),
    }));
    lines.join(" \\\n")
}

fn javascript(call: &Call, url: &str, body: Option<&Json_>) -> String {
    let mut inner = Vec::new();
    if call.method != "GET" {
        inner.push(format!("  method: \"{}\",\n", call.method));
    }
    let headers: String =
        headers(call, body).iter().map(|(name, value)| format!("    \"{name}\": \"{value}\",\n")).collect();
    if !headers.is_empty() {
        inner.push(format!("  headers: {{\n{headers}  }},\n"));
    }
    inner.extend(body.map(|b| match literal(b, Literals::Json, 1) {
        file if b.is_string() => format!("  body: {file},\n"),
        fields => format!("  body: JSON.stringify({fields}),\n"),
    }));
    let end = if call.answers_body { "\nconst answer = await response.json();" } else { "" };
    format!("const response = await fetch(\"{url}\", {{\n{}}});{end}", inner.concat())
}

fn php(call: &Call, url: &str, body: Option<&Json_>) -> String {
    let mut inner = Vec::new();
    match call.method.as_str() {
        "GET" => {}
        "POST" => inner.push("    CURLOPT_POST => true,\n".to_owned()),
        method => inner.push(format!("    CURLOPT_CUSTOMREQUEST => \"{method}\",\n")),
    }
    let headers: String =
        headers(call, body).iter().map(|(name, value)| format!("        \"{name}: {value}\",\n")).collect();
    if !headers.is_empty() {
        inner.push(format!("    CURLOPT_HTTPHEADER => [\n{headers}    ],\n"));
    }
    inner.extend(body.map(|b| match literal(b, Literals::Php, 1) {
        file if b.is_string() => format!("    CURLOPT_POSTFIELDS => {file},\n"),
        fields => format!("    CURLOPT_POSTFIELDS => json_encode({fields}),\n"),
    }));
    inner.push("    CURLOPT_RETURNTRANSFER => true,\n".to_owned());
    let end = if call.answers_body { "$answer = json_decode(curl_exec($call), true);" } else { "curl_exec($call);" };
    format!("$call = curl_init(\"{url}\");\ncurl_setopt_array($call, [\n{}]);\n{end}", inner.concat())
}

fn python(call: &Call, url: &str, body: Option<&Json_>) -> String {
    let mut inner = vec![format!("    \"{url}\",\n")];
    if !call.open {
        inner.push("    headers={\"Authorization\": \"Bearer YOUR_API_KEY\"},\n".to_owned());
    }
    let given = |b: &Json_| if b.is_string() { "data" } else { "json" };
    inner.extend(body.map(|b| format!("    {}={},\n", given(b), literal(b, Literals::Python, 1))));
    let end = if call.answers_body { "\nanswer = response.json()" } else { "" };
    let method = call.method.to_ascii_lowercase();
    format!("import requests\n\nresponse = requests.{method}(\n{}){end}", inner.concat())
}
