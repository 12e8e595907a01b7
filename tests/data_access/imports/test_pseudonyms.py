import hashlib
import hmac

from data_access import imports
from data_access.imports import pseudonyms


def test_a_pseudonym_is_a_keyed_hash_of_the_source_id():
    digest = hmac.new(b"key", b"ann@example.org", hashlib.sha256).hexdigest()
    assert imports.pseudonym("ann@example.org", "key") == f"R-{digest[:12]}"
    assert imports.pseudonym("ann@example.org", "other") != f"R-{digest[:12]}"


def test_sessions_name_their_person():
    base = imports.pseudonym("1", "key")
    assert pseudonyms.session(base, 1) == base
    assert pseudonyms.session(base, 3) == f"{base}.3"
    assert imports.person(f"{base}.3") == imports.person(base) == base
    assert pseudonyms.alias(base) == f"Rater {base[2:8]}"
    assert pseudonyms.alias(f"{base}.3") == f"Rater {base[2:8]} (repeat 3)"


def test_annotation_ids_depend_on_every_part_and_its_place():
    made = {pseudonyms.annotation_id(p) for p in (["a", "b"], ["b", "a"], ["ab"], ["a", "b", ""])}
    assert len(made) == 4
    assert pseudonyms.annotation_id(["a", "b"]) == pseudonyms.annotation_id(("a", "b"))
    assert all(len(i) <= 64 for i in made)
