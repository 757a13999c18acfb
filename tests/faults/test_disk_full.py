"""A data directory that cannot be written to: what was asked for is done, and somebody is told."""

from tests.cast import House


async def test_a_head_that_cannot_be_written_is_counted_and_the_decision_stands(
    house: House,
) -> None:
    comment = await house.submit()
    heads = house.settings.data_dir / "log-heads"
    heads.rename(heads.with_name("elsewhere"))
    # What is not a folder takes no file, whoever asks; root may write to any that is one.
    heads.write_text("in the way")
    [result] = await house.approve(comment.id)
    assert result.status == "approved"
    assert (await house.read()).count == 1
    metrics = (await house.client("127.0.0.1").get("/metrics")).text
    assert "greenroom_log_head_failures_total 1.0" in metrics
