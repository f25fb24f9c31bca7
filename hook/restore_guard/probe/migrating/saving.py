"""What a checkpoint is of: the model, and what a training script keeps beside it, such as a counter of steps."""

import os

import tensorflow as tf

from ..describers import variables
from ..readers import sharded
from ..witnessing import calls

# What Keras takes for a shard that nobody said a size for (saving_lib.py `ShardedH5IOStore`).
_GIGABYTES = 5


class Root:
    """A model with what was saved beside it.

    Args:
        model: what the builder returned.
        options: {"edges": the names under which the checkpoint holds the model, none where it is the root itself,
            "beside": [{"name", "edges", "shape", "dtype", "of", "trains"}], the variables beside it and the edges to
            each; where one is a slot "of" a variable of the model, to the list of an optimizer that "trains" all
            variables of the object of that path}.

    Raises:
        ValueError: an optimizer keeps something for a variable that is not trained any more.
    """

    def __init__(self, model, options):
        self.model, self.edges = model, options["edges"]
        self.beside, self.own = _Around(), []
        if self.edges:
            self.attach(self.edges, model)
        places = {}
        for item in options["beside"]:
            edges, of = item["edges"], item["of"]
            if of is not None:
                optimizer = tuple(edges[:-1])
                if optimizer not in places:
                    places[optimizer] = self._places(item["trains"], optimizer)
                if of not in places[optimizer]:
                    raise ValueError(
                        f"an optimizer beside the model keeps values for {of}, which is not trained any more"
                    )
                edges = [*edges, str(places[optimizer][of])]
            variable = tf.Variable(tf.zeros(item["shape"], item["dtype"]), trainable=False, name=item["edges"][-1])
            self.own.append((item["name"], variable))
            self.attach(edges, variable)

    def _places(self, path, optimizer):
        """{variable: its place} in the lists of an optimizer that trains the object of a path.

        In Keras 3 it lists the variables themselves as well.
        """
        found, holders, _ = variables.find(self.model)
        whole = self.model if not path else next(holder.value for holder in holders if holder.path == path)
        names = {id(item.variable): item.path for item in found}
        places = {}
        for number, item in enumerate(whole.trainable_variables):
            places[names[id(variables.unwrap(item))]] = number
            if not isinstance(item, tf.Variable):
                self.attach([*optimizer, "_trainable_variables", str(number)], item)
        return places

    def variables(self):
        """The (name, variable) pairs of the model and of what is beside it."""
        return variables.named_variables(self.model) + self.own

    def save(self, restore_path, folder, call, counter=None):
        """Saves by the plain call of a restore path into an empty folder; returns the path that `load` takes.

        Args:
            call: the team's load call.
            counter: how many checkpoints were saved before this one, which TensorFlow counts in the file.
        """
        if restore_path != "tf-checkpoint":
            return calls.save(self.model, restore_path, folder, call)
        checkpoint = self._checkpoint()
        if counter is not None:
            checkpoint._maybe_create_save_counter()
            checkpoint.save_counter.assign(counter)
        return checkpoint.write(os.path.join(folder, "checkpoint"))

    def save_as(self, name, folder, size):
        """Saves in the form that a name asks for: weights with an index and shards, else an unzipped `.keras`.

        Args:
            size: how many bytes a shard may have; None for what Keras takes itself.
        """
        path = os.path.join(folder, name)
        if name.endswith(sharded.ENDING):
            needed = max((_bytes(variable) for _, variable in self.variables()), default=0)
            limit = _GIGABYTES * 2**30 if size is None else size
            self.model.save_weights(path, max_shard_size=max(limit, needed) / 2**30)
        else:
            self.model.save(path, zipped=False)
        return path

    def load(self, restore_path, path, call):
        """Loads by the team's load call; returns the root that has the values then."""
        if restore_path == "tf-checkpoint":
            self._checkpoint().restore(path)
            return self
        loaded = Root(calls.load(self.model, restore_path, path, call), {"edges": self.edges, "beside": []})
        loaded.own = self.own
        return loaded

    def attach(self, edges, value):
        """Puts something beside the model, where edges lead to it."""
        holder = self.beside
        for edge in edges[:-1]:
            holder = holder.setdefault(edge, _Around())
        holder[edges[-1]] = value

    def _checkpoint(self):
        beside = {name: _trackable(value) for name, value in self.beside.items()}
        if self.edges:
            return tf.train.Checkpoint(**beside)
        if isinstance(self.model, dict):
            return tf.train.Checkpoint(**self.model, **beside)
        if isinstance(self.model, tf.train.Checkpoint):
            for name, value in beside.items():
                setattr(self.model, name, value)
            return self.model
        return tf.train.Checkpoint(self.model, **beside)


class _Around(dict):
    """What an object around the model holds, by its name there."""


def _bytes(variable):
    kind = variable.dtype.base_dtype
    return variable.shape.num_elements() * (kind.size if kind != tf.string else 0)


def _trackable(value):
    """An object with the attributes of what is around the model, or the model or variable itself."""
    if not isinstance(value, _Around):
        return value
    holder = tf.__internal__.tracking.AutoTrackable()
    for name, item in value.items():
        setattr(holder, name, _trackable(item))
    return holder
