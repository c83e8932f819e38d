"""The configuration of a campaign on a devnet, as a user would write it."""

from __future__ import annotations

from pathlib import Path

from lpmanager.devnet.deploy import Deployment

_CHAIN = """\
chain = "devnet"
store = "sqlite:///lpmanager.db"

[account]
address = "{account}"

[schedule]
every = "{every_s}s"

[campaigns.{campaign}]
pool = "{pool}"
quote = "USDC"
{policy}

[chains.devnet]
chain_id = {chain_id}
devnet = true
block_time_s = {block_time_s}
native_symbol = "ETH"
wrapped_native = "{wrapped_native}"

[chains.devnet.uniswap_v3]
factory = "{factory}"
position_manager = "{position_manager}"
swap_router = "{swap_router}"
swap_router_has_deadline = true
quoter = "{quoter}"
tick_lens = "{tick_lens}"
"""


def write_configuration(
    folder: Path,
    deployment: Deployment,
    *,
    account: str,
    campaign: str,
    policy: str,
    every_s: int,
    block_time_s: int,
    rpc_url: str | None,
    private_key: str,
) -> Path:
    """Write lpmanager.toml and .env into a folder; the path of the former.

    `policy` is the part of the campaign's table from its policy on, as TOML; `rpc_url` is None
    for a chain that nothing outside can reach. Warning: the key goes to .env in clear text, which
    only a devnet accepts.
    """
    text = _CHAIN.format(
        account=account,
        campaign=campaign,
        pool=deployment.pool.address,
        policy=policy.strip(),
        every_s=every_s,
        chain_id=deployment.chain_id,
        block_time_s=block_time_s,
        wrapped_native=deployment.wrapped_native,
        factory=deployment.factory,
        position_manager=deployment.position_manager,
        swap_router=deployment.swap_router,
        quoter=deployment.quoter,
        tick_lens=deployment.tick_lens,
    )
    path = folder / "lpmanager.toml"
    path.write_text(text)
    reachable = "" if rpc_url is None else f"LPM_RPC_URL={rpc_url}\n"
    env = folder / ".env"
    env.touch(mode=0o600)
    env.write_text(f"{reachable}LPM_PRIVATE_KEY={private_key}\n")
    return path
