//! The document as people read it: groups of calls, each with what it takes and answers, and the objects
//! that calls have in common.

use serde_json::{Map, Value as Json_};

use super::print::weight;
use crate::api::document::example::{reference, resolved};

/// The depth to which objects within objects are listed.
const DEEPEST: usize = 3;

/// A sentence, cut where backticks mark code.
pub type Words = Vec<Piece>;

#[derive(Debug, Clone)]
pub struct Piece {
    pub code: bool,
    pub text: String,
}

/// A text as paragraphs of pieces.
pub fn words(text: &str) -> Vec<Words> {
    let pieces = |paragraph: &str| {
        let cut = paragraph.split('`').enumerate().filter(|(_, text)| !text.is_empty());
        cut.map(|(at, text)| Piece { code: at % 2 == 1, text: text.to_owned() }).collect()
    };
    text.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty()).map(pieces).collect()
}

/// A parameter or a field.
#[derive(Debug, Clone)]
pub struct Row {
    pub name: String,
    /// "path", "query" or "header"; nothing for a field.
    pub location: &'static str,
    pub kind: String,
    pub required: bool,
    pub about: Vec<Words>,
    /// The possible values.
    pub choices: Vec<String>,
    pub example: Json_,
}

impl Row {
    /// A field that is sent is left out rather than null.
    fn sent(self) -> Self {
        Self { kind: self.kind.replace(" or null", ""), ..self }
    }
}

/// An object that calls answer with.
#[derive(Debug, Clone)]
pub struct Object {
    pub name: String,
    pub anchor: String,
    pub about: Vec<Words>,
    pub rows: Vec<Row>,
}

/// One of the answers of a call.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: String,
    pub about: String,
    /// The object it holds, and whether it holds a list of them.
    pub object: Option<String>,
    pub is_list: bool,
    pub example: Option<Json_>,
}

impl Reply {
    pub fn is_refusal(&self) -> bool {
        !self.status.starts_with(['2', '3'])
    }
}

/// A call.
#[derive(Debug, Clone)]
pub struct Call {
    pub id: String,
    pub title: String,
    pub method: String,
    pub path: String,
    pub about: Vec<Words>,
    pub scope: String,
    pub open: bool,
    pub parameters: Vec<Row>,
    pub fields: Vec<Row>,
    pub form: bool,
    pub body_example: Option<Json_>,
    /// True when the first answer has a body.
    pub answers_body: bool,
    pub replies: Vec<Reply>,
}

impl Call {
    /// The version of its contract, where two versions have the same call.
    pub fn version(&self) -> Option<&str> {
        self.path.strip_prefix("/api/")?.split('/').next().filter(|part| matches!(*part, "v1" | "v2"))
    }

    /// The parameters that a call cannot be made without.
    pub fn given(&self) -> impl Iterator<Item = &Row> {
        self.parameters.iter().filter(|row| row.required)
    }

    pub fn answers(&self) -> impl Iterator<Item = &Reply> {
        self.replies.iter().filter(|reply| !reply.is_refusal())
    }

    pub fn refusals(&self) -> impl Iterator<Item = &Reply> {
        self.replies.iter().filter(|reply| reply.is_refusal())
    }

    /// The path in parts, with whether each is a parameter.
    pub fn parts(&self) -> Vec<Piece> {
        let cut = self.path.split_inclusive(['{', '}']).filter(|text| !matches!(*text, "{" | "}"));
        cut.filter_map(|text| match text.strip_suffix('}') {
            Some(name) => Some(Piece { code: true, text: format!("{{{name}}}") }),
            None => {
                Some(Piece { code: false, text: text.trim_end_matches('{').to_owned() }).filter(|p| !p.text.is_empty())
            }
        })
        .collect()
    }
}

/// Calls about one thing.
#[derive(Debug, Clone)]
pub struct Group {
    pub name: String,
    pub anchor: String,
    pub about: String,
    pub calls: Vec<Call>,
    pub objects: Vec<Object>,
}

/// The groups of a contract, in the document's order.
pub fn groups(document: &Json_, contract: &str) -> Vec<Group> {
    let none = Map::new();
    let schemas = document["components"]["schemas"].as_object().unwrap_or(&none);
    let reader = Reader { schemas, responses: document["components"]["responses"].as_object().unwrap_or(&none) };
    let of = items(&document["x-tagGroups"]).find(|group| group["name"] == contract);
    let tags = of.map(|group| items(&group["tags"]).filter_map(Json_::as_str).collect()).unwrap_or(Vec::new());
    let mut shown: Vec<String> = Vec::new();
    let group = |tag: &str| {
        let calls = reader.calls(document, tag);
        let objects = reader.objects(&calls, &mut shown);
        let name = tag.rsplit(": ").next().unwrap_or(tag).to_owned();
        let about = items(&document["tags"]).find(|one| one["name"] == tag).map(|one| text(&one["description"]));
        Group { anchor: anchor(&name), name, about: about.unwrap_or_default(), calls, objects }
    };
    tags.into_iter().map(group).collect()
}

fn items(list: &Json_) -> impl Iterator<Item = &Json_> {
    list.as_array().into_iter().flatten()
}

fn text(value: &Json_) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

pub fn anchor(name: &str) -> String {
    name.to_lowercase().replace(' ', "-")
}

struct Reader<'d> {
    schemas: &'d Map<String, Json_>,
    responses: &'d Map<String, Json_>,
}

/// In this order the calls of an address are read.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

impl Reader<'_> {
    fn calls(&self, document: &Json_, tag: &str) -> Vec<Call> {
        let mut calls = Vec::new();
        for (path, methods) in document["paths"].as_object().into_iter().flatten() {
            for method in METHODS {
                let one = &methods[method];
                if one["tags"][0] == tag {
                    calls.push(self.call(path, method, one));
                }
            }
        }
        calls
    }

    fn call(&self, path: &str, method: &str, one: &Json_) -> Call {
        let content = &one["requestBody"]["content"];
        let body = if content["text/csv"].is_object() { &content["text/csv"] } else { &content["application/json"] };
        let mut replies: Vec<Reply> = one["responses"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(status, response)| self.reply(status, response))
            .collect();
        // 201 before 200.
        replies.sort_by_key(|reply| (reply.is_refusal(), reply.status != "201"));
        let about = text(&one["description"]);
        // The scope is shown apart.
        let about = about.split("Needs the scope `").next().unwrap_or_default();
        Call {
            id: text(&one["operationId"]),
            title: text(&one["summary"]),
            method: method.to_ascii_uppercase(),
            path: path.to_owned(),
            about: words(about),
            scope: text(&one["x-scope"]),
            open: one["security"].as_array().is_some_and(Vec::is_empty),
            parameters: items(&one["parameters"]).map(|p| self.parameter(p)).collect(),
            fields: self.rows(&body["schema"]).into_iter().map(Row::sent).collect(),
            form: content.get("application/x-www-form-urlencoded").is_some(),
            body_example: body.get("example").cloned(),
            answers_body: replies.first().is_some_and(|reply| reply.example.is_some()),
            replies,
        }
    }

    fn parameter(&self, one: &Json_) -> Row {
        let location = match one["in"].as_str() {
            Some("path") => "path",
            Some("query") => "query",
            _ => "header",
        };
        let schema = &one["schema"];
        Row {
            name: text(&one["name"]),
            location,
            kind: self.kind(schema),
            required: one["required"] == true,
            about: words(&text(&one["description"])),
            choices: choices(resolved(schema, self.schemas)),
            example: one["example"].clone(),
        }
    }

    fn reply(&self, status: &str, response: &Json_) -> Reply {
        let response = reference(response).and_then(|name| self.responses.get(name)).unwrap_or(response);
        let media = response["content"].as_object().and_then(|content| content.values().next());
        let schema = media.map(|media| &media["schema"]);
        let (object, is_list) = schema.map_or((None, false), |schema| self.holds(schema));
        Reply {
            status: status.to_owned(),
            about: text(&response["description"]),
            object,
            is_list,
            example: media.and_then(|media| media.get("example")).cloned(),
        }
    }

    /// The object that an answer is, or is a list of.
    fn holds(&self, schema: &Json_) -> (Option<String>, bool) {
        let inner = &resolved(schema, self.schemas)["properties"]["data"];
        if let Some(item) = reference(&inner["items"]) {
            return (Some(item.to_owned()), true);
        }
        (reference(inner).or_else(|| reference(schema)).map(str::to_owned), false)
    }

    /// The objects that these calls answer with and that no earlier call did.
    fn objects(&self, calls: &[Call], shown: &mut Vec<String>) -> Vec<Object> {
        let mut objects = Vec::new();
        for name in calls.iter().flat_map(Call::answers).filter_map(|reply| reply.object.as_ref()) {
            let Some(schema) = self.schemas.get(name).filter(|_| !shown.contains(name)) else { continue };
            shown.push(name.clone());
            objects.push(Object {
                anchor: format!("object-{}", name.to_lowercase()),
                name: name.clone(),
                about: words(&text(&schema["description"])),
                rows: self.rows(schema),
            });
        }
        objects
    }

    /// The fields of an object, those within them behind their names.
    fn rows(&self, schema: &Json_) -> Vec<Row> {
        let mut rows = Vec::new();
        self.add_rows(schema, "", 0, &mut rows);
        rows
    }

    fn add_rows(&self, schema: &Json_, within: &str, depth: usize, rows: &mut Vec<Row>) {
        let schema = resolved(schema, self.schemas);
        let required: Vec<&str> = items(&schema["required"]).filter_map(Json_::as_str).collect();
        let mut fields: Vec<_> = schema["properties"].as_object().into_iter().flatten().collect();
        fields.sort_by_key(|(name, _)| (!required.contains(&name.as_str()), weight(name)));
        for (name, field) in fields {
            let inner = self.inner(field);
            let shape = resolved(inner, self.schemas);
            let about = field["description"].as_str().or(inner["description"].as_str()).unwrap_or_default();
            rows.push(Row {
                name: format!("{within}{name}"),
                location: "",
                kind: self.kind(field),
                required: required.contains(&name.as_str()),
                about: words(about),
                choices: choices(shape),
                example: Json_::Null,
            });
            if depth < DEEPEST {
                let list = if field["type"] == "array" { "[]" } else { "" };
                self.add_rows(inner, &format!("{within}{name}{list}."), depth + 1, rows);
            }
        }
    }

    /// The type inside "or null" and "a list of".
    fn inner<'s>(&self, schema: &'s Json_) -> &'s Json_ {
        let choice = schema["anyOf"].as_array().and_then(|all| all.iter().find(|one| one["type"] != "null"));
        let schema = choice.unwrap_or(schema);
        if schema["type"] == "array" { &schema["items"] } else { schema }
    }

    /// The kind of value, in words.
    fn kind(&self, schema: &Json_) -> String {
        let of_choice = schema["anyOf"].as_array().or(schema["oneOf"].as_array());
        if let Some(all) = of_choice {
            let named = all.iter().filter(|one| one["maxLength"] != 0).map(|one| self.kind(one)).collect::<Vec<_>>();
            return named.join(" or ");
        }
        let shape = resolved(schema, self.schemas);
        match &shape["type"] {
            Json_::Array(kinds) => kinds.iter().filter_map(Json_::as_str).collect::<Vec<_>>().join(" or "),
            Json_::String(kind) if kind == "array" => format!("list of {}", plural(&self.kind(&shape["items"]))),
            Json_::String(kind) if kind == "string" => match shape["format"].as_str() {
                Some("email") => "e-mail address".into(),
                Some("date") => "date".into(),
                _ => "string".into(),
            },
            Json_::String(kind) => kind.clone(),
            _ => "any JSON".into(),
        }
    }
}

fn plural(kind: &str) -> String {
    if kind == "any JSON" { kind.to_owned() } else { format!("{kind}s") }
}

fn choices(schema: &Json_) -> Vec<String> {
    items(&schema["enum"]).filter_map(Json_::as_str).map(str::to_owned).collect()
}
