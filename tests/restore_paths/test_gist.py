import pytest

from restore_guard.restore_paths.outcome import gist


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("", "an error without a message"),
        ("ValueError", "ValueError"),
        ("ValueError: no such layer\nmore of it", "ValueError: no such layer"),
        (
            "NotImplementedError: \nObject Net was created by\nsomething",
            "NotImplementedError: Object Net was created by",
        ),
        ("NotImplementedError:\n\n  Implement it.", "NotImplementedError: Implement it."),
        ("\nLayer 'a': it has none", "Layer 'a': it has none"),
        ("ValueError: outer\n\nException encountered: the inner one", "the inner one"),
    ],
)
def test_the_first_words_of_an_error_are_the_first_that_say_something(message, words):
    assert gist(message) == words
