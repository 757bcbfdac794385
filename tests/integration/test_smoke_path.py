from path_screen import Screen
def test_smoke(house):
    t = house.person.ok("/api/requests", {"kind":"leak","level":"red","source":"phone","building":"B01"})
    s = Screen(house.person.http).open(house.url).loaded()
    s.until(lambda: t["id"] in s.rows("tickets"), "seen")
    print(s.got, s.rows("figures"), s.rows("network"))
