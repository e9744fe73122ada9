"""The shapes that most of our PromQL has."""


def rate(metric: str, by: str, *where: str) -> str:
    """How much a counter rises in a second, summed by these labels, over the series that `where` chooses."""
    total = f"sum by ({by})" if by else "sum"
    return f"{total} (rate({metric}{choice(*where)}[$__rate_interval]))"


def quantile(q: float, histogram: str, by: str, *where: str) -> str:
    """How long all but 1 - `q` take, by these labels."""
    return f"histogram_quantile({q}, {rate(f'{histogram}_bucket', f'{by}, le' if by else 'le', *where)})"


def choice(*where: str) -> str:
    return f"{{{', '.join(where)}}}" if where else ""
