"""Single sign-on by OpenID Connect: allauth's code flow with state and PKCE, and around it what it leaves open.

    id_token.py  checks the token: signature, issuer, audience, times, nonce
    flow.py      allauth's adapter for the flow, which believes no token that is not checked
    people.py    which account a token belongs to, and the name of a new one
    adapter.py   allauth's adapter for accounts: who may come in, with which roles

What the claim says of roles is applied by `teams/claims.py`.
"""
