"""The Locust peer: every user gets `/` again and again without a pause.

FastHttpUser is Locust's quick client; HttpUser (requests) costs about four times as much.
"""

from locust import FastHttpUser, constant, task


class Home(FastHttpUser):
    wait_time = constant(0)

    @task
    def home(self):
        self.client.get("/")
