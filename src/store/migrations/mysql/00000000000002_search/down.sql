DROP TABLE search_marks, search_places, search_words;
