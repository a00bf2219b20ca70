//! The OpenAPI document, made from the table of calls and the types they read and answer. The parts that
//! every call shares are added here: headers, refusals, examples.

pub mod example;
pub mod tags;

use std::collections::BTreeSet;

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value as Json_, json};

use super::dialect::Dialect;
use super::operation::{Access, Answer, Operation};
use tags::Contract;

const ABOUT: &str = "One key works on every call, in any of three forms: `Authorization: Bearer KEY`, \
`Authorization: KEY`, or HTTP Basic with the key as user name. A key for tests reads and writes test data, \
which never count, earn or are paid.\n\nEach contract says in its own shape what is wrong. Every answer \
carries the header `x-request-id`: name it when you ask somebody about a call.";

/// The document of these calls, as served by the program at an address.
pub fn document<'o>(operations: impl Iterator<Item = &'o Operation>, server: &str) -> Json_ {
    let mut settings = SchemaSettings::draft2020_12().for_serialize();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    let mut parts = Parts { schemas: settings.into_generator(), responses: Map::new() };
    let mut paths: Map<String, Json_> = Map::new();
    let mut used = Vec::new();
    for operation in operations {
        let (tag, about) = tags::of(operation.dialect, operation.path);
        let one = parts.described(operation, &tag);
        used.push((operation.dialect, tag, about));
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method.as_str().to_ascii_lowercase()] = one;
    }
    let schemas = parts.schemas.take_definitions(true);
    give_versions(&mut paths);
    give_examples(&mut paths, &schemas);
    let (tags, groups) = tags::listed(&used);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Refdesk",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Who referred whom, when it counts, and what is owed for it.",
            "description": ABOUT,
            "license": { "name": "MIT", "identifier": "MIT" },
        },
        "externalDocs": { "description": "The same as a page to read", "url": format!("{server}/docs") },
        "servers": [{ "url": server }],
        "tags": tags,
        "x-tagGroups": groups,
        "security": [{ "bearer": [] }, { "basic": [] }, { "bare": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer", "description": "`Authorization: Bearer rk_live_…`" },
                "publishable": { "type": "http", "scheme": "bearer", "description": "`Authorization: Bearer rk_pub_…`: may stand in the source of a web page." },
                "basic": { "type": "http", "scheme": "basic", "description": "The key as user name, without a password." },
                "bare": { "type": "apiKey", "in": "header", "name": "Authorization", "description": "The key alone, as clients of Cashfin send it." },
            },
            "headers": headers(),
            "responses": parts.responses,
            "schemas": schemas,
        },
    })
}

/// Headers of answers, by their name here and as they are called on the line.
const HEADERS: [(&str, &str, &str, &str, &str); 7] = [
    ("RequestId", "x-request-id", "The request's id, as in Refdesk's log.", "string", "9f2c4b7a1d3e5f60"),
    (
        "Version",
        "ETag",
        "The version of what was answered, for `If-None-Match` and `If-Match`.",
        "string",
        "\"64fd3a1b2c800\"",
    ),
    (
        "Pages",
        "Link",
        "The first page, and the next where there is one (RFC 8288).",
        "string",
        "</v1/leads>; rel=\"first\"",
    ),
    ("RetryAfter", "Retry-After", "Seconds to wait before the call is made again.", "integer", "2"),
    (
        "RateLimit",
        "RateLimit",
        "Calls that could be made at once now, and in how many seconds there are more (IETF draft RateLimit headers).",
        "string",
        "\"key\";r=5999999;t=1",
    ),
    (
        "RateLimitPolicy",
        "RateLimit-Policy",
        "Calls a minute that the key may make.",
        "string",
        "\"key\";q=6000000;w=60",
    ),
    ("Challenge", "WWW-Authenticate", "How to send a key.", "string", "Bearer"),
];

fn headers() -> Json_ {
    let mut headers = Map::new();
    for (name, _, about, kind, example) in HEADERS {
        let example = example.parse::<i64>().map_or_else(|_| json!(example), |number| json!(number));
        headers.insert(name.into(), json!({ "description": about, "schema": { "type": kind }, "example": example }));
    }
    Json_::Object(headers)
}

/// Adds a header to an answer.
fn carries(response: &mut Json_, name: &str) {
    if let Some((_, line, ..)) = HEADERS.iter().find(|(known, ..)| *known == name) {
        response["headers"][line] = json!({ "$ref": format!("#/components/headers/{name}") });
    }
}

/// Shared parts, gathered while the calls are described.
struct Parts {
    schemas: SchemaGenerator,
    responses: Map<String, Json_>,
}

impl Parts {
    fn described(&mut self, operation: &Operation, tag: &str) -> Json_ {
        let mut one = json!({
            "operationId": operation.id,
            "summary": operation.title,
            "tags": [tag],
            "responses": self.responses(operation),
        });
        let mut about = operation.about.to_owned();
        if let Access::Scope(scope) = operation.access {
            about = format!("{about}\n\nNeeds the scope `{scope}`.").trim().to_owned();
            one["x-scope"] = json!(scope);
        }
        if !about.is_empty() {
            one["description"] = json!(about);
        }
        if operation.access == Access::Open {
            one["security"] = json!([]);
        }
        if operation.access == Access::Publishable {
            one["security"] = json!([{ "publishable": [] }]);
        }
        let parameters = self.parameters(operation);
        if !parameters.is_empty() {
            one["parameters"] = json!(parameters);
        }
        if let Some(takes) = &operation.takes {
            let schema = (takes.schema)(&mut self.schemas);
            let mut media = json!({ "schema": schema });
            if takes.csv {
                media["example"] = json!(takes.example);
            } else if let Ok(example) = serde_json::from_str::<Json_>(takes.example) {
                media["example"] = example;
            }
            let kind = if takes.csv { "text/csv" } else { "application/json" };
            let mut content = json!({ kind: media });
            if takes.form {
                content["application/x-www-form-urlencoded"] = media;
            }
            one["requestBody"] = json!({ "required": takes.required, "content": content });
        }
        one
    }

    fn parameters(&mut self, operation: &Operation) -> Vec<Json_> {
        let in_path = operation.path_parameters.iter().map(|(name, about)| {
            let schema = json!({ "type": "string", "minLength": 1 });
            json!({ "name": name, "in": "path", "required": true, "description": about, "schema": schema })
        });
        let mut parameters: Vec<Json_> = in_path.collect();
        for field in operation.query.map(|query| query(&mut self.schemas)).unwrap_or_default() {
            let mut schema = field.schema.to_value();
            // A query has no null: a value is there or missing.
            if let Some(kinds) = schema.get_mut("type").and_then(Json_::as_array_mut) {
                kinds.retain(|kind| kind != "null");
                if let [kind] = kinds.as_slice() {
                    schema["type"] = kind.clone();
                }
            }
            if let Some(words) = schema.get_mut("enum").and_then(Json_::as_array_mut) {
                words.retain(|word| !word.is_null());
            }
            parameters.push(json!({
                "name": field.name, "in": "query", "required": field.required, "description": field.about, "schema": schema,
            }));
        }
        parameters.extend(operation.headers.iter().map(|(name, about)| {
            json!({ "name": name, "in": "header", "required": false, "description": about, "schema": { "type": "string" } })
        }));
        parameters
    }

    fn responses(&mut self, operation: &Operation) -> Json_ {
        let mut responses = Map::new();
        for answer in &operation.answers {
            let mut one = self.answered(answer);
            if operation.dialect == Dialect::Own && operation.access != Access::Open {
                carries(&mut one, "RateLimit");
                carries(&mut one, "RateLimitPolicy");
            }
            responses.insert(answer.status.to_string(), one);
        }
        for status in refusals(operation) {
            // A 409 may have a body of its own.
            if !responses.contains_key(&status.to_string()) {
                responses.insert(status.to_string(), self.refused(operation.dialect, status));
            }
        }
        Json_::Object(responses)
    }

    fn answered(&mut self, answer: &Answer) -> Json_ {
        let mut one = json!({ "description": answer.about });
        carries(&mut one, "RequestId");
        if let Some(schema) = answer.schema {
            let schema = schema(&mut self.schemas).to_value();
            if schema["$ref"].as_str().is_some_and(|name| name.ends_with("Page")) {
                carries(&mut one, "Pages");
            }
            let mut media = json!({ "schema": schema });
            if let Some(example) = answer.example.and_then(|text| serde_json::from_str::<Json_>(text).ok()) {
                media["example"] = example;
            }
            one["content"] = json!({ answer.kind: media });
        }
        for (operation, parameter, pointer) in &answer.links {
            one["links"][operation] = json!({
                "operationId": operation,
                "parameters": { *parameter: format!("$response.body#{pointer}") },
            });
        }
        one
    }

    /// A refusal, which all calls of a contract answer alike.
    fn refused(&mut self, dialect: Dialect, status: u16) -> Json_ {
        let name = format!("{}{status}", Contract::of(dialect).prefix);
        if !self.responses.contains_key(&name) {
            let schema = dialect.error_schema(&mut self.schemas);
            let media = json!({ "schema": schema, "example": dialect.example(status) });
            let mut one = json!({
                "description": refused_words(status),
                "content": { dialect.error_type(): media },
            });
            carries(&mut one, "RequestId");
            if status == 401 {
                carries(&mut one, "Challenge");
            }
            if matches!(status, 429 | 503) {
                carries(&mut one, "RetryAfter");
            }
            self.responses.insert(name.clone(), one);
        }
        json!({ "$ref": format!("#/components/responses/{name}") })
    }
}

/// Statuses that any call may be refused with.
fn refusals(operation: &Operation) -> Vec<u16> {
    let mut statuses = operation.refuses.clone();
    if operation.access != Access::Open {
        statuses.push(401);
    }
    if matches!(operation.access, Access::Scope(_)) {
        statuses.push(403);
    }
    if operation.takes.is_some() {
        statuses.extend([400, 408, 413, 415, operation.dialect.invalid()]);
    }
    if !operation.path_parameters.is_empty() {
        // `users/search` is another call, although it fits `users/{identifier}`.
        statuses.push(405);
    }
    if operation.query.is_some() || !operation.path_parameters.is_empty() {
        statuses.push(operation.dialect.invalid());
    }
    statuses.extend([429, 500, 503]);
    statuses.sort_unstable();
    statuses.dedup();
    statuses
}

/// A resource whose reads have a version carries it in every answer.
fn give_versions(paths: &mut Map<String, Json_>) {
    let operations = |paths: &Map<String, Json_>| -> Vec<Json_> {
        paths.values().filter_map(Json_::as_object).flat_map(|path| path.values().cloned()).collect()
    };
    let versioned: BTreeSet<String> = operations(paths)
        .iter()
        .filter(|one| one["parameters"].as_array().is_some_and(|all| all.iter().any(|p| p["name"] == "if-none-match")))
        .filter_map(|one| Some(answered_schema(&one["responses"]["200"])?.to_owned()))
        .collect();
    for response in responses_of(paths) {
        let is_versioned = answered_schema(response).is_some_and(|name| versioned.contains(name));
        if is_versioned {
            carries(response, "Version");
        }
    }
    for path in paths.values_mut().filter_map(Json_::as_object_mut) {
        for response in path.values_mut().filter_map(|one| one.get_mut("responses")?.get_mut("304")) {
            carries(response, "Version");
        }
    }
}

/// Every answer of every call.
fn responses_of(paths: &mut Map<String, Json_>) -> impl Iterator<Item = &mut Json_> {
    let operations = paths.values_mut().filter_map(Json_::as_object_mut).flat_map(|path| path.values_mut());
    operations.filter_map(|one| one.get_mut("responses")?.as_object_mut()).flat_map(|responses| responses.values_mut())
}

/// The schema of an answer, by its type.
fn contents(response: &mut Json_) -> impl Iterator<Item = &mut Json_> {
    let content = response.get_mut("content").and_then(Json_::as_object_mut);
    content.into_iter().flat_map(|content| content.values_mut())
}

/// The schema that an answer is of, by reference.
fn answered_schema(response: &Json_) -> Option<&str> {
    response["content"]["application/json"]["schema"]["$ref"].as_str()
}

/// An answer without an example gets one, and a parameter too.
fn give_examples(paths: &mut Map<String, Json_>, schemas: &Map<String, Json_>) {
    for response in responses_of(paths) {
        for media in contents(response) {
            if media.get("example").is_none() {
                media["example"] = example::of(&media["schema"], "", schemas);
            }
        }
    }
    for path in paths.values_mut().filter_map(Json_::as_object_mut) {
        for one in path.values_mut() {
            for parameter in one.get_mut("parameters").and_then(Json_::as_array_mut).into_iter().flatten() {
                if parameter["required"] == true {
                    let mut schema = parameter["schema"].clone();
                    schema["description"] = parameter["description"].clone();
                    let name = parameter["name"].as_str().unwrap_or_default().to_owned();
                    parameter["example"] = example::of(&schema, &name, schemas);
                }
            }
        }
    }
}

fn refused_words(status: u16) -> &'static str {
    match status {
        400 => "The body cannot be read, or a field is missing or wrong.",
        401 => "No key, or one that is not good.",
        403 => "The key may not do that.",
        404 => "There is no such thing in the key's business.",
        408 => "The body came too slowly.",
        409 => "It was done before, or something stands against it.",
        412 => "It has changed since it was read.",
        413 => "The body is too large.",
        415 => "The body is of a kind that is not read here.",
        422 => "A field is missing or wrong.",
        429 => "Too many calls: wait as long as Retry-After says.",
        503 => "Refdesk cannot do it just now: try again after Retry-After.",
        _ => "Something broke here.",
    }
}
