//! A bank's answer to a pain.001: pain.002 of any version. Statuses stand for one transfer, for a payment (our files
//! have one) or for the whole file; a transfer without its own has its payment's, else the file's.

use encoding_rs::{Encoding, UTF_8};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::error::{MOST_BYTES, ReadError};
use super::reasons::reason;
use super::report::{Outcome, Report, Reported, Whole};
use crate::money::{Currency, Money};

const MOST_DEPTH: usize = 32;
/// Characters of a text that are kept; no field of a pain.002 has more that matter here.
const MOST_TEXT: usize = 1_000;
const NAMESPACE: &[u8] = b"urn:iso:std:iso:20022:tech:xsd:pain.002.";

/// A status with its reasons.
#[derive(Default)]
struct Said {
    status: String,
    codes: Vec<String>,
    texts: Vec<String>,
}

impl Said {
    fn outcome(&self) -> Option<Outcome> {
        match self.status.as_str() {
            "" => None,
            "ACSC" | "ACCC" => Some(Outcome::Paid),
            "RJCT" | "CANC" => {
                let codes = self.codes.iter().map(|code| reason(code));
                Some(Outcome::Failed(codes.chain(self.texts.iter().cloned()).collect::<Vec<_>>().join("; ")))
            }
            // Accepted is not yet paid: a bank may still reject a transfer.
            _ => Some(Outcome::Pending),
        }
    }
}

/// A transfer as far as it was read.
#[derive(Default)]
struct Transfer {
    at: u64,
    said: Said,
    line: Option<String>,
    amount: Option<Money>,
    recipient: Option<String>,
    account: Option<String>,
    reference: String,
}

#[derive(Default)]
struct Answer {
    message: String,
    group: Said,
    payment: Said,
    transfer: Transfer,
    payments: Vec<Option<Outcome>>,
    /// The outcome is `None` where the transfer has no status of its own; the number is its payment's.
    transfers: Vec<(usize, Option<Outcome>, Reported)>,
    /// The currency of the amount that is being read.
    currency: Option<Currency>,
}

/// Reads a bank's answer.
///
/// # Errors
/// [`ReadError`].
pub fn pain002(bytes: &[u8]) -> Result<Report, ReadError> {
    if bytes.len() > MOST_BYTES {
        return Err(ReadError::TooLarge);
    }
    let text = decoded(bytes)?;
    let mut reader = Reader::from_str(&text);
    let (mut answer, mut path, mut value) = (Answer::default(), Vec::<String>::new(), String::new());
    let (mut begun, mut seen, mut at) = (false, 0, 1);
    loop {
        let event = reader.read_event().map_err(|error| ReadError::Xml(error.to_string()))?;
        let now = usize::try_from(reader.buffer_position()).unwrap_or(text.len()).min(text.len());
        match event {
            Event::DocType(_) => return Err(ReadError::Doctype),
            Event::Start(element) => {
                if path.is_empty() && !is_pain002(&element) {
                    return Err(ReadError::NotPain002);
                }
                begun = true;
                path.push(String::from_utf8_lossy(element.local_name().as_ref()).into_owned());
                if path.len() > MOST_DEPTH {
                    return Err(ReadError::TooDeep);
                }
                value.clear();
                answer.begin(&path, &element, at);
            }
            Event::Text(piece) => keep(&mut value, &piece.decode().unwrap_or_default()),
            Event::CData(piece) => keep(&mut value, &piece.decode().unwrap_or_default()),
            // Of entities only the five of XML itself and numbers mean anything; nothing is ever expanded.
            Event::GeneralRef(entity) => {
                let name = entity.decode().unwrap_or_default();
                let known = quick_xml::escape::resolve_predefined_entity(&name).map(str::to_owned);
                let number = || entity.resolve_char_ref().ok().flatten().map(String::from);
                let unknown = || ReadError::Xml(format!("the entity {name} is not known"));
                keep(&mut value, &known.or_else(number).ok_or_else(unknown)?);
            }
            Event::End(_) => {
                answer.end(&path, value.trim());
                value.clear();
                path.pop();
            }
            Event::Eof if !begun => return Err(ReadError::NotPain002),
            Event::Eof if path.is_empty() => break,
            Event::Eof => return Err(ReadError::Xml("it ends before its last element".to_owned())),
            _ => {}
        }
        at += text.as_bytes()[seen..now].iter().fold(0, |lines, byte| lines + u64::from(*byte == b'\n'));
        seen = now;
    }
    answer.report()
}

fn decoded(bytes: &[u8]) -> Result<std::borrow::Cow<'_, str>, ReadError> {
    let named = || {
        let start = String::from_utf8_lossy(bytes.get(..200).unwrap_or(bytes)).into_owned();
        let prolog = start.split_once("?>")?.0;
        let label = prolog.split_once("encoding")?.1.split(['"', '\'']).nth(1)?;
        Encoding::for_label_no_replacement(label.as_bytes())
    };
    let (text, _, damaged) = named().unwrap_or(UTF_8).decode(bytes);
    if damaged { Err(ReadError::Encoding) } else { Ok(text) }
}

fn is_pain002(root: &BytesStart<'_>) -> bool {
    let namespace = root.attributes().flatten().any(|attribute| attribute.value.starts_with(NAMESPACE));
    namespace && root.local_name().as_ref() == b"Document"
}

fn keep(value: &mut String, piece: &str) {
    let room = MOST_TEXT.saturating_sub(value.len());
    value.extend(piece.chars().take(room));
}

impl Answer {
    fn begin(&mut self, path: &[String], element: &BytesStart<'_>, at: u64) {
        match path.last().map(String::as_str) {
            Some("OrgnlPmtInfAndSts") => self.payment = Said::default(),
            Some("TxInfAndSts") => self.transfer = Transfer { at, ..Transfer::default() },
            Some("InstdAmt") => {
                let code = element.try_get_attribute("Ccy").ok().flatten();
                let code = code.map(|code| String::from_utf8_lossy(&code.value).into_owned()).unwrap_or_default();
                self.currency = Currency::parse(&code).ok();
            }
            _ => {}
        }
    }

    fn end(&mut self, path: &[String], value: &str) {
        let names: Vec<&str> = path.iter().skip(2).map(String::as_str).collect();
        match names.as_slice() {
            ["OrgnlGrpInfAndSts", "OrgnlMsgId"] => value.clone_into(&mut self.message),
            ["OrgnlGrpInfAndSts", "GrpSts"] => value.clone_into(&mut self.group.status),
            ["OrgnlGrpInfAndSts", "StsRsnInf", rest @ ..] => said(&mut self.group, rest, value),
            ["OrgnlPmtInfAndSts", "PmtInfSts"] => value.clone_into(&mut self.payment.status),
            ["OrgnlPmtInfAndSts", "StsRsnInf", rest @ ..] => said(&mut self.payment, rest, value),
            ["OrgnlPmtInfAndSts", "TxInfAndSts"] => self.end_transfer(),
            ["OrgnlPmtInfAndSts"] => self.payments.push(self.payment.outcome()),
            ["OrgnlPmtInfAndSts", "TxInfAndSts", rest @ ..] => self.transfer.field(rest, value, self.currency),
            _ => {}
        }
    }

    fn end_transfer(&mut self) {
        let transfer = std::mem::take(&mut self.transfer);
        let outcome = transfer.said.outcome();
        let reported = Reported {
            at: transfer.at,
            line: transfer.line,
            batch: None,
            recipient: transfer.account.or(transfer.recipient),
            amount: transfer.amount,
            outcome: Outcome::Pending,
            reference: transfer.reference,
        };
        self.transfers.push((self.payments.len(), outcome, reported));
    }

    fn report(self) -> Result<Report, ReadError> {
        if self.message.is_empty() {
            return Err(ReadError::NoMessageId);
        }
        let group = self.group.outcome();
        let with_batch = |(payment, own, row): (usize, Option<Outcome>, Reported)| {
            let outcome = own.or_else(|| self.payments.get(payment)?.clone()).or_else(|| group.clone());
            Reported { batch: Some(self.message.clone()), outcome: outcome.unwrap_or(Outcome::Pending), ..row }
        };
        let rows = self.transfers.into_iter().map(with_batch).collect();
        // Payments of several kinds would leave open which of them a line was in.
        let first = self.payments.first().cloned().flatten();
        let alike = self.payments.iter().all(|one| *one == first);
        let whole = if alike { first.or(group) } else { None };
        let whole = whole.map(|outcome| Whole { batch: self.message, outcome });
        Ok(Report { rows, unread: Vec::new(), whole })
    }
}

/// A reason of a status.
fn said(said: &mut Said, rest: &[&str], value: &str) {
    match rest {
        ["Rsn", "Cd" | "Prtry"] if !value.is_empty() => said.codes.push(value.to_owned()),
        ["AddtlInf"] if !value.is_empty() => said.texts.push(value.to_owned()),
        _ => {}
    }
}

impl Transfer {
    fn field(&mut self, rest: &[&str], value: &str, currency: Option<Currency>) {
        let text = || Some(value.to_owned()).filter(|text| !text.is_empty());
        match rest {
            ["TxSts"] => value.clone_into(&mut self.said.status),
            ["StsRsnInf", rest @ ..] => said(&mut self.said, rest, value),
            ["OrgnlEndToEndId"] => self.line = text(),
            ["AcctSvcrRef"] => value.clone_into(&mut self.reference),
            ["OrgnlTxRef", "Amt", "InstdAmt"] => {
                self.amount = currency.and_then(|currency| Money::from_json_number(value, currency).ok());
            }
            ["OrgnlTxRef", "Cdtr", "Nm"] | ["OrgnlTxRef", "Cdtr", "Pty", "Nm"] => self.recipient = text(),
            ["OrgnlTxRef", "CdtrAcct", "Id", "IBAN"] => self.account = text(),
            _ => {}
        }
    }
}
