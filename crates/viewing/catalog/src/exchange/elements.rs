//! The elements of a JSON file, with their lines: those of an array, one a line, or a single one.

use serde_json::Value;

use super::Reading;

/// Gives each element of `body` to `take` with its line, until the file ends or nothing more is to be read.
///
/// Where the file is no JSON from some place on, that is a problem in `reading`.
pub(super) fn each(body: &[u8], reading: &mut Reading, mut take: impl FnMut(&mut Reading, u32, Value)) {
    let mut at = body.strip_prefix(b"\xef\xbb\xbf").map_or(0, |_| 3);
    let mut lines = Lines { body, at: 0, line: 1 };
    at = skip(body, at);
    let array = body.get(at) == Some(&b'[');
    if array {
        at = skip(body, at + 1);
        if body.get(at) == Some(&b']') {
            return ended(body, at + 1, &mut lines, reading);
        }
    }
    while at < body.len() && reading.goes_on() {
        let line = lines.of(at);
        let mut stream = serde_json::Deserializer::from_slice(&body[at..]).into_iter::<Value>();
        match stream.next() {
            Some(Ok(value)) => take(reading, line, value),
            Some(Err(error)) => {
                // Its own line counts from the element's.
                let line = line + u32::try_from(error.line().saturating_sub(1)).unwrap_or(0);
                return reading.refuse(line, "", format!("it is not JSON: {error}"));
            }
            None => return,
        }
        at = skip(body, at + stream.byte_offset());
        if !array {
            continue;
        }
        match body.get(at) {
            Some(b',') => at = skip(body, at + 1),
            Some(b']') => return ended(body, at + 1, &mut lines, reading),
            _ => return reading.refuse(lines.of(at), "", "the array is not closed here, and goes on with no comma"),
        }
    }
    if array && reading.goes_on() {
        reading.refuse(lines.of(body.len()), "", "the array is not closed");
    }
}

/// After an array nothing comes.
fn ended(body: &[u8], at: usize, lines: &mut Lines<'_>, reading: &mut Reading) {
    let at = skip(body, at);
    if at < body.len() {
        reading.refuse(lines.of(at), "", "there is more after the array");
    }
}

/// The first byte from `at` on that is no white space.
fn skip(body: &[u8], at: usize) -> usize {
    let rest = body.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|b| b.is_ascii_whitespace()).count()
}

/// Counts lines once over the whole file.
struct Lines<'a> {
    body: &'a [u8],
    at: usize,
    line: u32,
}

impl Lines<'_> {
    /// The line of a byte that is not before the last one asked for.
    fn of(&mut self, at: usize) -> u32 {
        let passed = &self.body[self.at..at.min(self.body.len())];
        self.line += u32::try_from(passed.iter().filter(|b| **b == b'\n').count()).unwrap_or(0);
        self.at = at.min(self.body.len());
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type ByLine<T> = Vec<(u32, T)>;

    fn read(body: &str) -> (ByLine<Value>, ByLine<String>) {
        let (mut reading, mut seen) = (Reading::default(), Vec::new());
        each(body.as_bytes(), &mut reading, |_, line, value| seen.push((line, value)));
        (seen, reading.problems.into_iter().map(|problem| (problem.line, problem.reason)).collect())
    }

    #[test]
    fn arrays_lines_and_single_objects_are_read_with_their_lines() {
        let lines = |body| read(body).0.into_iter().map(|(line, value)| (line, value["a"].clone())).collect::<Vec<_>>();
        let expected = vec![(1, Value::from(1)), (2, Value::from(2))];
        assert_eq!(lines("{\"a\":1}\n{\"a\":2}\n"), expected);
        assert_eq!(lines("[{\"a\":1},\n{\"a\":2}]"), expected);
        assert_eq!(lines("\u{feff}\n\n{\n\"a\":\n3}"), [(3, Value::from(3))]);
        assert_eq!(read("[]"), (Vec::new(), Vec::new()));
        assert_eq!(read(""), (Vec::new(), Vec::new()));
    }

    #[test]
    fn what_is_no_json_is_found_by_its_line() {
        for (body, line) in [
            ("{\"a\":1}\n{\"a\":\n,}", 3),
            ("[{\"a\":1}\n{\"a\":2}]", 2),
            ("[{\"a\":1}", 1),
            ("[1,\n2]\nx", 3),
            ("{\"a\":1}\n\0", 2),
        ] {
            let problems = read(body).1;
            assert_eq!(problems.len(), 1, "{body}: {problems:?}");
            assert_eq!(problems[0].0, line, "{body}: {problems:?}");
        }
    }
}
