//! What a person sees at the terminal: errors with their causes, tables, sizes and times.

use std::error::Error;

/// An error of a command.
pub type AnyError = Box<dyn Error + Send + Sync>;

/// An error and its causes on one line, without repeating what the outer one says already.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = match error.downcast_ref::<tonic::Status>() {
        Some(status) => status.message().to_owned(),
        None => error.to_string(),
    };
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

/// A table: columns as wide as they need to be.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |c: usize| rows.iter().filter_map(|r| r.get(c)).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width - cell.chars().count() + 2));
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// Seconds from one moment (in microseconds) to another, or to now where that is 0, for people.
pub fn lasted(from_us: i64, to_us: i64) -> String {
    if from_us == 0 {
        return "-".to_owned();
    }
    let now = || {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
    };
    let to = if to_us == 0 { now() } else { to_us };
    let seconds = (to - from_us).max(0) as f64 / 1e6;
    if seconds < 60.0 {
        return format!("{seconds:.1} s");
    }
    format!("{} min {:.0} s", (seconds / 60.0).floor(), seconds % 60.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_lines_up() {
        let rows = vec![vec!["a".to_owned(), "b".to_owned()], vec!["long".to_owned(), "c".to_owned()]];
        assert_eq!(table(&rows), "a     b\nlong  c\n");
    }

    #[test]
    fn an_error_is_told_with_its_cause_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("the film can't be read")]
        struct Outer(#[source] std::io::Error);
        let error = Outer(std::io::Error::other("disk on fire"));
        assert_eq!(chain(&error), "the film can't be read: disk on fire");
    }
}
