//! A file in the making: its bytes, as its lines are read.

use std::fs::File;
use std::io::{self, Read as _};
use std::mem;

use futures::stream::{self, BoxStream, StreamExt as _};

use super::files::{FileError, Head, Part, Writer};
use super::source::{PAGE, Source};
use crate::core::Core;

/// The bytes of a file. An error in them stands for a file that is not whole.
pub type Pieces = BoxStream<'static, io::Result<Vec<u8>>>;

/// Bytes of a workbook sent at once.
const PIECE: u64 = 64 << 10;

struct Making {
    core: Core,
    source: Source,
    part: Part,
    /// Written, and not sent yet.
    out: Vec<u8>,
    stage: Stage,
}

enum Stage {
    /// The rows behind the line with this id.
    Rows(Box<Writer>, i64),
    /// A workbook, which is sent when it is whole.
    Whole(File),
    Over,
}

/// Begins a file. Nothing is read before the first of its bytes is asked for.
pub(super) fn begin(core: Core, source: Source, part: Part, head: &Head) -> Result<Pieces, FileError> {
    let mut out = Vec::new();
    let Some(payer) = source.payers.all().get(part.place) else {
        return Err(FileError::Write(io::Error::other("the file has no payer")));
    };
    let writer = Writer::begin(payer, head, &mut out)?;
    let stage = Stage::Rows(Box::new(writer), part.first - 1);
    let making = Making { core, source, part, out, stage };
    let pieces = stream::try_unfold(making, |making| async move {
        let payout = making.source.payout.id;
        next(making).await.inspect_err(|error| tracing::warn!(payout, %error, "the file of a payout broke off"))
    });
    Ok(pieces.boxed())
}

async fn next(mut making: Making) -> io::Result<Option<(Vec<u8>, Making)>> {
    loop {
        making.stage = match mem::replace(&mut making.stage, Stage::Over) {
            Stage::Rows(writer, after) => making.rows(writer, after).await?,
            Stage::Whole(mut file) => {
                let read = (&mut file).take(PIECE).read_to_end(&mut making.out)?;
                if read > 0 { Stage::Whole(file) } else { Stage::Over }
            }
            Stage::Over => return Ok(None),
        };
        if !making.out.is_empty() {
            return Ok(Some((mem::take(&mut making.out), making)));
        }
    }
}

impl Making {
    /// Writes the next lines; behind the last one the file ends.
    async fn rows(&mut self, mut writer: Box<Writer>, after: i64) -> io::Result<Stage> {
        let lines = self.source.lines(&self.core, after, self.part.last).await.map_err(io::Error::other)?;
        for sent in &lines {
            // The sentence names a person, and is for no log.
            let details = sent.details.as_ref().map_err(|_| io::Error::other("payout details cannot be read"))?;
            if self.source.payers.place(details) == self.part.place {
                let row = self.source.row(sent, details);
                writer.row(&row, &mut self.out).map_err(|_| io::Error::other("a line cannot be sent"))?;
            }
        }
        if let Some(last) = lines.last().filter(|_| lines.len() == PAGE) {
            return Ok(Stage::Rows(writer, last.line.id));
        }
        let mut out = mem::take(&mut self.out);
        let ended = tokio::task::spawn_blocking(move || writer.end(&mut out).map(|book| (book, out))).await;
        let (book, out) = ended.map_err(io::Error::other)?.map_err(io::Error::other)?;
        self.out = out;
        Ok(book.map_or(Stage::Over, Stage::Whole))
    }
}
