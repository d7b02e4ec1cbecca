"""What is said in the demo: a few days in the life of two brands. Plain data, told from the oldest to the newest.

`ago` is in minutes before the demo is loaded. `to` names the post that is answered; `private` the account a message
goes to. What a brand says here it says in the network's own app; the answers written in the product are in `office.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

HOUR = 60
DAY = 24 * HOUR


@dataclass(frozen=True, slots=True)
class Said:
    """One post, comment or message. `page` is the Facebook Page that a post is written on."""

    key: str
    ago: float
    network: str  # "x" or "facebook"
    author: str
    text: str
    to: str = ""
    page: str = ""
    private: str = ""
    picture: bool = False


@dataclass(frozen=True, slots=True)
class Edited:
    key: str
    text: str


LONG = (
    "Bonjour à toute l'équipe ! Je tenais à vous raconter notre semaine, parce qu'elle résume bien pourquoi je reviens "
    "chez vous depuis six ans, et pourquoi je suis quand même un peu fâchée. Nous avons traversé la Vanoise à quatre, "
    "dont deux enfants de sept et dix ans, avec deux tentes Ridgeline et vos sacs Alpine 40. Les tentes ont tenu un "
    "orage de grêle à 2 400 mètres sans une goutte à l'intérieur. Bravo, vraiment.\n\n"
    "En revanche, les trois fermetures éclair des sacs se sont bloquées dès le deuxième jour : la languette s'arrache "
    "quand on tire avec des gants. J'ai réparé la mienne avec un anneau de porte-clés, celle de ma fille avec de la "
    "ficelle. Ce n'est pas sérieux pour un sac à 189 €. J'ai lu sous une autre publication que d'autres ont le même "
    "souci, et que vous enverriez des tirettes renforcées. Est-ce vrai ? Faut-il renvoyer les sacs, ou peut-on les "
    "monter soi-même ? Nous repartons le mois prochain et je n'ai aucune envie de rester trois semaines sans sac.\n\n"
    "Merci d'avance, et bonne montagne à tous !"
)

SAID = (
    # -- Trailhead, Facebook: a post of the Page, customers who help each other --
    Said("tents", 3 * DAY, "facebook", "trailheadpage",
         "Tent check before the season: set it up once in the garden, look at the seams, count the stakes. "
         "What do you always forget? 🏕️", page="trailheadpage", picture=True),
    Said("tents-1", 3 * DAY - 40, "facebook", "sofia_outdoors",
         "The mallet. Every single year. A stone does it too, until it does not.", to="tents"),
    Said("tents-2", 3 * DAY - 55, "facebook", "jokafor", "Stone plus an old sock, saves the stakes and the fingers.",
         to="tents-1"),
    Said("tents-3", 3 * DAY - 70, "facebook", "walt_w", "How do you get mould stains out of the inner tent?", to="tents"),
    Said("tents-4", 3 * DAY - 95, "facebook", "sofia_outdoors",
         "Lukewarm water, a little vinegar, soft brush, then dry it for two days in the shade. Never bleach, it eats the "
         "coating.", to="tents-3"),
    Said("tents-5", 3 * DAY - 120, "facebook", "trailheadpage",
         "Sofia is right, thank you! And please no tumble dryer, Walt.", to="tents-4"),
    Said("tents-6", 3 * DAY - 130, "facebook", "walt_w", "Worked! Looks like new. Thanks both 👍", to="tents-5"),
    # -- Trailhead, X: an angry customer, others join in --
    Said("boots", 1 * DAY + 5 * HOUR, "x", "grumpygus",
         "@trailhead THIRD pair of Granite boots in a row whose sole comes off after two months. THIRD. Your hotline put "
         "me on hold for 40 minutes and then hung up. Never again."),
    Said("boots-1", 1 * DAY + 4 * HOUR, "x", "olekv", "same with mine, left boot, after 9 weeks. I thought it was me",
         to="boots"),
    Said("boots-2", 1 * DAY + 3.5 * HOUR, "x", "jokafor",
         "Odd, mine have done 900 km. Which batch? The number is printed inside the tongue.", to="boots-1"),
    Said("boots-3", 1 * DAY + 3 * HOUR, "x", "olekv", "GR-2209", to="boots-2"),
    # -- Trailhead, X: praise --
    Said("vest", 22 * HOUR, "x", "priya_runs",
         "@trailhead ran my first 50k in the Skyline vest 🏃🏽‍♀️💨 zero chafing, zero bounce, 10/10 would cry at the "
         "finish again 😭🎉🏅", picture=True),
    Said("vest-1", 21 * HOUR, "x", "trailhead", "@priya_runs Congratulations, Priya! 50 km, what a day 🎉", to="vest"),
    Said("vest-2", 20.5 * HOUR, "x", "priya_runs", "thank you!! 🧡🧡", to="vest-1"),
    # -- Trailhead, X: German, with the words that only German has --
    Said("klick", 9 * HOUR, "x", "tim_becker",
         "@trailhead Die Lieferverzögerungsbenachrichtigung kam drei Tage NACH dem Paket. Und das Hüftgurtschnellver"
         "schlussersatzteil fehlt trotzdem. Bekomme ich jetzt ein Reklamationsbearbeitungsvorgangsaktenzeichen?"),
    # -- Trailhead, X: advice among customers that is dangerous --
    Said("stove", 5 * HOUR, "x", "hikerdad",
         "@trailhead my Ember stove sputters below zero. Which fuel do you recommend for winter nights with the kids?"),
    Said("stove-1", 4.8 * HOUR, "x", "walt_w",
         "just fill the cartridge up with petrol from the car and run it inside the tent, warms you up too", to="stove"),
    Said("stove-2", 4.5 * HOUR, "x", "sofia_outdoors",
         "Please do NOT do that. Carbon monoxide in a tent kills. Use an isobutane mix and cook outside.", to="stove-1"),
    # -- Trailhead, X: right to left --
    Said("noura", 4 * HOUR, "x", "noura_ht",
         "@trailhead السلام عليكم، متى تتوفر خيمة Ridgeline 2 من جديد في الرياض؟ نخطط لرحلة عائلية في الصحراء 🏜️ ونحتاج "
         "إلى ثلاث خيام."),
    # -- Trailhead: from public to private, with peers who help --
    Said("stakes", 3 * HOUR, "x", "mayak",
         "@trailhead my Ridgeline 2 tent came without stakes and we leave for the Dolomites on Friday 😬 What now?",
         picture=True),
    Said("stakes-1", 170, "x", "sofia_outdoors",
         "Same happened to me in June. Any 18 cm Y-stakes fit, I paid 9 € for six.", to="stakes"),
    Said("stakes-2", 165, "x", "jokafor",
         "Big stones and the guy lines did it for me, even in wind. Not on the coast though ⛰️", to="stakes-1"),
    Said("stakes-3", 160, "x", "trailhead",
         "@mayak We are sorry, Maya! A set can be with you by Thursday. Please send us your order number in a direct "
         "message.", to="stakes"),
    Said("maya-fb", 2 * DAY, "facebook", "mayak",
         "Does the Ridgeline come with stakes for rock as well, or only for soil?", to="tents"),
    # -- Trailhead, Facebook: a long letter, and Messenger --
    Said("letter", 7 * HOUR, "facebook", "claire_d", LONG, page="trailheadpage"),
    Said("letter-1", 6.5 * HOUR, "facebook", "sofia_outdoors",
         "Same zips here. I was sent reinforced pullers within three days, they clip on without tools.", to="letter"),
    Said("akira-1", 90, "facebook", "akira_t",
         "こんにちは。アルパイン40の背面長を教えてください。身長は182cmです。", private="trailheadpage"),
    # -- Trailhead, X: a post its author edits, one its author deletes, one that can wait --
    Said("red", 6 * HOUR, "x", "jokafor", "@trailhead will the Alpine 40 come in red again next spring? Asking for a friend "
         "whose name is Jonas."),
    Said("oops", 2 * HOUR, "x", "hikerdad", "@trailhead my address is 14 Mill Lane and my phone is 555 0134, please call"),
    Said("filter", 45, "x", "walt_w", "@trailhead is the Basin filter safe for see water?"),
    # -- Nordlicht, X --
    Said("billed", 26 * HOUR, "x", "beanqueen",
         "@nordlicht you charged my card twice for the November subscription. 2 × 34 €. I like your beans, not THAT much 🙃"),
    Said("billed-1", 25 * HOUR, "x", "nordlicht",
         "@beanqueen That should not happen, sorry! Please send us the e-mail address of your account in a message.",
         to="billed"),
    Said("rosa-dm-1", 24.5 * HOUR, "x", "beanqueen", "rosa@lindqvist.example", private="nordlicht"),
    Said("rosa-dm-2", 24 * HOUR, "x", "nordlicht", "Found it. The second payment goes back today; banks need two days.",
         private="beanqueen"),
    Said("rosa-dm-3", 55, "x", "beanqueen", "It is back. Thank you, that was quick! ☕", private="nordlicht"),
    Said("grinder", 8 * HOUR, "x", "yael_c",
         "@nordlicht המטחנה Polar שקניתי ממכם מרעישה נורא מאז הניקוי. זה תקין? 🙉"),
    Said("moka", 5.5 * HOUR, "x", "olekv", "@nordlicht which of your roasts for a moka pot? the Fjord tastes sour to me"),
    Said("moka-1", 5.2 * HOUR, "x", "beanqueen",
         "Try Hafen, a bit finer than drip, and take it off the heat before it gurgles.", to="moka"),
    Said("moka-2", 5 * HOUR, "x", "olekv", "that was it. perfect cup. thank you!", to="moka-1"),
    # -- Nordlicht, Facebook --
    Said("advent", 30 * HOUR, "facebook", "nordlichtkaffee",
         "Our advent roast is here: dark chocolate, orange peel, a little smoke. Only until Christmas ☕🎄",
         page="nordlichtkaffee", picture=True),
    Said("advent-1", 29 * HOUR, "facebook", "beanqueen", "Is it in the subscription, or do I have to be quick?",
         to="advent"),
    Said("advent-2", 28.5 * HOUR, "facebook", "nordlichtkaffee", "You can swap your next bag for it in your account, Rosa.",
         to="advent-1"),
    Said("advent-3", 3.5 * HOUR, "facebook", "tim_becker", "Gibt es den auch als Entkoffeinierten?", to="advent"),
    Said("tim-fb", 80, "facebook", "tim_becker",
         "Hallo, kann ich meine Bestellung NK-2231 noch auf ganze Bohnen ändern?", private="nordlichtkaffee"),
)  # fmt: skip

# Said after the answers that were written in the product.
LATER = (
    Said("maya-dm", 0, "x", "mayak", "Order TR-40718, the address in Innsbruck is still right. Will it really be here by "
         "Thursday? 🙈", private="trailhead"),
)  # fmt: skip

EDITED = (Edited("filter", "@trailhead is the Basin filter safe for sea water?"),)
DELETED = ("oops",)
FOLLOWS = (("mayak", "trailhead"), ("sofia_outdoors", "trailhead"), ("beanqueen", "nordlicht"))
