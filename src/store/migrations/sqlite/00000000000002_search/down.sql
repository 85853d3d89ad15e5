DROP TABLE search_marks;
DROP TABLE search_places;
DROP TABLE search_words;
