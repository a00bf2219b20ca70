//! The part of the schema that our files use, written down again: each element's children in their order.

use quick_xml::Reader;
use quick_xml::events::Event;

const CHILDREN: [(&str, &[&str]); 16] = [
    ("Document", &["CstmrCdtTrfInitn"]),
    ("CstmrCdtTrfInitn", &["GrpHdr", "PmtInf"]),
    ("GrpHdr", &["MsgId", "CreDtTm", "NbOfTxs", "CtrlSum", "InitgPty"]),
    ("InitgPty", &["Nm"]),
    (
        "PmtInf",
        &[
            "PmtInfId",
            "PmtMtd",
            "BtchBookg",
            "NbOfTxs",
            "CtrlSum",
            "PmtTpInf",
            "ReqdExctnDt",
            "Dbtr",
            "DbtrAcct",
            "DbtrAgt",
            "ChrgBr",
            "CdtTrfTxInf",
        ],
    ),
    ("PmtTpInf", &["SvcLvl"]),
    ("SvcLvl", &["Cd"]),
    ("ReqdExctnDt", &["Dt"]),
    ("Dbtr", &["Nm", "PstlAdr?"]),
    ("Cdtr", &["Nm", "PstlAdr?"]),
    ("PstlAdr", &["PstCd?", "TwnNm", "Ctry", "AdrLine?"]),
    ("CdtTrfTxInf", &["PmtId", "Amt", "CdtrAgt?", "Cdtr", "CdtrAcct", "RmtInf?"]),
    ("PmtId", &["EndToEndId"]),
    ("Amt", &["InstdAmt"]),
    ("RmtInf", &["Ustrd"]),
    ("FinInstnId", &["BICFI?", "Othr?"]),
];

/// Longest texts.
const MOST: [(&str, usize); 9] = [
    ("MsgId", 35),
    ("PmtInfId", 35),
    ("EndToEndId", 35),
    ("Nm", 70),
    ("Ustrd", 140),
    ("AdrLine", 70),
    ("TwnNm", 35),
    ("PstCd", 16),
    ("Ctry", 2),
];

/// Checks a file, and gives its number of transfers and the sum of their cents.
pub fn checked(file: &str) -> (usize, i64) {
    assert!(file.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Document xmlns="));
    assert!(file.is_ascii());
    let mut reader = Reader::from_str(file);
    let mut path: Vec<(String, Vec<String>)> = vec![(String::new(), Vec::new())];
    let (mut text, mut transfers, mut cents, mut says) = (String::new(), 0, 0, Vec::new());
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                let name = String::from_utf8(start.name().as_ref().to_vec()).unwrap();
                path.last_mut().unwrap().1.push(name.clone());
                path.push((name, Vec::new()));
                text.clear();
            }
            Event::Text(piece) => text.push_str(&piece.decode().unwrap()),
            Event::End(_) => {
                let (name, children) = path.pop().unwrap();
                in_order(&name, &children);
                if children.is_empty() {
                    assert!(!text.trim().is_empty(), "{name} is empty");
                    let most = MOST.iter().find(|(of, _)| *of == name).map_or(usize::MAX, |(_, most)| *most);
                    assert!(text.len() <= most, "{name}: {text}");
                }
                let in_cents = || text.replace('.', "").parse::<i64>().unwrap();
                match name.as_str() {
                    "InstdAmt" => cents += in_cents(),
                    "CdtTrfTxInf" => transfers += 1,
                    "CtrlSum" => says.push(in_cents()),
                    "NbOfTxs" => says.push(text.parse().unwrap()),
                    "EndToEndId" | "Ustrd" | "MsgId" => assert!(!text.contains("//") && !text.starts_with('/')),
                    _ => {}
                }
                text.clear();
            }
            Event::GeneralRef(_) => panic!("nothing needs escaping"),
            Event::Eof => break,
            _ => {}
        }
    }
    let count = i64::try_from(transfers).unwrap();
    assert_eq!(says, [count, cents, count, cents]);
    (transfers, cents)
}

fn in_order(name: &str, children: &[String]) {
    let Some((_, order)) = CHILDREN.iter().find(|(parent, _)| *parent == name) else { return };
    let mut distinct = children.to_vec();
    distinct.dedup();
    for needed in order.iter().filter(|child| !child.ends_with('?')) {
        assert!(distinct.iter().any(|child| child == needed), "{name} lacks {needed}");
    }
    let place = |child: &String| {
        order.iter().position(|one| one.trim_end_matches('?') == child).unwrap_or_else(|| panic!("{child} in {name}"))
    };
    let places: Vec<usize> = distinct.iter().map(place).collect();
    assert!(places.is_sorted_by(|a, b| a < b), "{name}: {distinct:?}");
}
