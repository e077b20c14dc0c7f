//! What stands in the index: a document a title, with the folded words by which it is found.

use matinee_contracts::catalog::Title;
use tantivy::schema::{
    BytesOptions, Field, IndexRecordOption, NumericOptions, STRING, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::{TantivyDocument, Term};

use crate::entry::{Entry, NAME_WORDS, kept};
use crate::fold::folded;
use crate::table::Slot;

/// Words of a description that are looked at.
const DESCRIPTION_WORDS: usize = 400;
/// The name of the fast field.
pub const SLOT: &str = "slot";

/// The fields.
#[derive(Debug, Clone, Copy)]
pub struct Fields {
    id: Field,
    slot: Field,
    /// The title, as [`kept`] keeps it.
    pub kept: Field,
    /// Words of its names, in all languages.
    pub name: Field,
    /// Each two words of a name that follow each other, as one: for "spiderman".
    pub pair: Field,
    /// Words of people's names.
    pub person: Field,
    /// Words of genres.
    pub genre: Field,
    /// Words of descriptions.
    pub description: Field,
}

/// The schema, and its fields.
#[must_use]
pub fn schema() -> (Schema, Fields) {
    let mut schema = Schema::builder();
    let mut words = |name| {
        let indexing = TextFieldIndexing::default().set_tokenizer("whitespace").set_fieldnorms(false);
        let indexing = indexing.set_index_option(IndexRecordOption::Basic);
        schema.add_text_field(name, TextOptions::default().set_indexing_options(indexing))
    };
    let (name, pair, person) = (words("name"), words("pair"), words("person"));
    let (genre, description) = (words("genre"), words("description"));
    let id = schema.add_text_field("id", STRING);
    let slot = schema.add_u64_field(SLOT, NumericOptions::default().set_fast());
    let kept = schema.add_bytes_field("title", BytesOptions::default().set_stored());
    (schema.build(), Fields { id, slot, kept, name, pair, person, genre, description })
}

impl Fields {
    /// By which a title's document is found.
    #[must_use]
    pub fn term(&self, id: &str) -> Term {
        Term::from_field_text(self.id, id)
    }

    /// A title's document.
    #[must_use]
    pub fn document(&self, slot: Slot, title: &Title, entry: &Entry) -> TantivyDocument {
        let mut document = TantivyDocument::default();
        document.add_text(self.id, &title.id);
        document.add_u64(self.slot, u64::from(slot));
        document.add_bytes(self.kept, &kept(title));
        for name in &entry.names {
            document.add_text(self.name, &name.folded);
            let words: Vec<&str> = name.folded.split(' ').collect();
            let pairs: Vec<String> = words.windows(2).map(|two| two.concat()).collect();
            document.add_text(self.pair, pairs.join(" "));
        }
        for credit in &entry.people {
            document.add_text(self.person, &credit.folded);
        }
        for genre in &entry.genres {
            document.add_text(self.genre, folded(genre, NAME_WORDS));
        }
        let localized = title.localized.iter().map(|words| &words.description);
        for description in std::iter::once(&title.description).chain(localized).filter(|text| !text.is_empty()) {
            document.add_text(self.description, folded(description, DESCRIPTION_WORDS));
        }
        document
    }
}
