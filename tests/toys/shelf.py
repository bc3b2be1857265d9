"""A shelf with a few places: a model that needs no scenario, and drivers of all that it can be."""

from __future__ import annotations

from threadline import Census, Driver, Model, Pool, Refuse, operation, pool

BOOKS = pool("Emma", "Ulysses")
STANDING = Pool(lambda now: sorted(now.model.books))


class Shelf(Model):
    """The books that stand on a shelf of so many places."""

    settings = {"places": pool(2, 1)}

    def __init__(self, places: int = 2) -> None:
        self.places = places
        self.books: set[str] = set()

    @operation(weight=2, book=BOOKS)
    def put(self, book: str) -> int:
        """A book is put on the shelf; how many stand there now."""
        if len(self.books | {book}) > self.places:
            raise Refuse("full", because=f"it has {self.places} places")
        self.books.add(book)
        return len(self.books)

    @operation(book=STANDING)
    def take(self, book: str) -> None:
        """A book is taken away."""
        self.books.remove(book)

    def census(self) -> Census:
        return {"books": set(self.books)}


class ShelfDriver(Driver[Shelf]):
    """Keeps books in a list."""

    refuses = {OverflowError: "full"}

    def __init__(self, places: int) -> None:
        self.books: list[str] = []
        self.places = places

    def put(self, book: str) -> int:
        if book not in self.books:
            if len(self.books) == self.places:
                raise OverflowError(book)
            self.books.append(book)
        return len(self.books)

    def take(self, book: str) -> None:
        self.books.remove(book)

    def census(self) -> Census:
        return {"books": set(self.books)}


class Leaky(ShelfDriver):
    """Leaves a book where it was taken from, if it is the only one."""

    def take(self, book: str) -> None:
        if len(self.books) > 1:
            self.books.remove(book)
