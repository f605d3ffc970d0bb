"""What every command that takes its time shares: lines that are seen as soon as they are said."""

from django.core.management.base import BaseCommand


class SayingCommand(BaseCommand):
    """A command whose output may be a pipe, and is read while it works."""

    def say(self, text: str) -> None:
        """Print a line at once."""
        self.stdout.write(text)
        self.stdout.flush()
