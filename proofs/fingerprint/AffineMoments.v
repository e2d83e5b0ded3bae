(** * Mean and variance of the output, for all affine networks, determine the sampler

    Let every call lead to the output and have a label of its own. If g is 1 at the label of call u and 0 at
    the others, the mean is m_u; so the labels are shared, and m_u is the same for both samplers, and hence
    p_u. Off finitely many hyperplanes every p occurs, for some f. But m_u is linear in p, with coefficients
    H_ju, and the variance quadratic, with coefficients Sigma_uv: they agree. *)

From Coq Require Import Reals Lra Lia List Arith.
From Fingerprint Require Import Samplers Law Forms AffineOutput.
Open Scope R_scope.

(** l, H and Sigma agree after renaming. *)
Definition same_merged {Label} (A B : sampler Label) (Sigma Sigma' : nat -> nat -> R) : Prop :=
  exists p p', renaming A B p p' /\
    (forall i, (i < calls A)%nat -> label A i = label B (p i)) /\
    (forall j i, (j <= calls A)%nat -> (i < calls A)%nat -> weight A j i = weight B (p j) (p i)) /\
    forall u v, (u <= calls A)%nat -> (v <= calls A)%nat -> Sigma u v = Sigma' (p u) (p v).

(** ** Sums over the calls of one sampler are sums over those of the other *)

Lemma sum_bijection n m p p' F :
  (forall i, (i < n)%nat -> (p i < m)%nat /\ p' (p i) = i) ->
  (forall i, (i < m)%nat -> (p' i < n)%nat /\ p (p' i) = i) ->
  sum n (fun i => F (p i)) = sum m F.
Proof.
  intros there back. set (G := fun i j => if Nat.eq_dec (p i) j then F j else 0).
  rewrite (sum_ext n _ (fun i => sum m (G i))), sum_swap.
  - apply sum_ext. intros j small. destruct (back j small) as [inside same].
    rewrite (sum_only n _ (p' j) inside); unfold G; [rewrite same; destruct (Nat.eq_dec j j); congruence |].
    intros i few other. destruct (Nat.eq_dec (p i) j); [| reflexivity]. destruct (there i few). congruence.
  - intros i small. destruct (there i small) as [inside _]. rewrite (sum_only m _ (p i) inside); unfold G.
    + destruct (Nat.eq_dec (p i) (p i)); congruence.
    + intros j _ other. destruct (Nat.eq_dec (p i) j); congruence.
Qed.

Section Sums.
Context {Label : Type}.
Variables (A B : sampler Label) (p p' : nat -> nat).
Hypothesis names : renaming A B p p'.

Lemma sum_calls F : sum (calls A) (fun i => F (p i)) = sum (calls B) F.
Proof. destruct names as (there & back & _). apply (sum_bijection _ _ p p'); assumption. Qed.

Lemma sum_rows F : sum (S (calls A)) (fun u => F (p u)) = sum (S (calls B)) F.
Proof. simpl. rewrite sum_calls. destruct names as (_ & _ & ->). reflexivity. Qed.

Lemma quadratic_rows D x :
  quadratic (S (calls B)) D x = quadratic (S (calls A)) (fun u v => D (p u) (p v)) (fun u => x (p u)).
Proof.
  unfold quadratic, bilinear. rewrite <- sum_rows. apply sum_ext. intros u _.
  rewrite <- sum_rows. reflexivity.
Qed.

Lemma reach_rows x i : reach B x (p i) = dot (S (calls A)) (fun u => weight B (p u) (p i)) (fun u => x (p u)).
Proof. unfold reach, dot. rewrite <- sum_rows. reflexivity. Qed.
End Sums.

Lemma finite_choice n (P : nat -> nat -> Prop) :
  (forall i, (i < n)%nat -> exists j, P i j) -> exists p, forall i, (i < n)%nat -> P i (p i).
Proof.
  induction n as [| n IH]; intros some; [exists (fun i => i); lia |].
  destruct IH as [p all]; [intros; apply some; lia |]. destruct (some n) as [j last]; [lia |].
  exists (fun i => if Nat.eq_dec i n then j else p i). intros i small.
  destruct (Nat.eq_dec i n) as [-> |]; [exact last | apply all; lia].
Qed.

(** ** The theorem *)

Section Moments.
Context {Label Coordinate : Type}.
Variable decide : forall a b : Label, {a = b} + {a <> b}.
Variable k : Coordinate.
Implicit Types A B : sampler Label.
Notation mean := (mean k).
Notation variance := (variance k).

Lemma some_or_none A l :
  (exists j, (j < calls A)%nat /\ label A j = l) \/ forall j, (j < calls A)%nat -> label A j <> l.
Proof.
  induction (calls A) as [| n [(j & small & same) | none]];
    [right; lia | left; exists j; split; [lia | exact same] |].
  destruct (decide (label A n) l) as [same | other]; [left; exists n; split; [lia | exact same] | right].
  intros j small. destruct (Nat.eq_dec j n) as [-> |]; [exact other | apply none; lia].
Qed.

(** A call that leads to the output is heard in the mean, so its label occurs in the other sampler too. *)
Lemma labels_shared A B : distinct A -> live A -> (forall f g, mean A f g = mean B f g) ->
  forall i, (i < calls A)%nat -> exists j, (j < calls B)%nat /\ label B j = label A i.
Proof.
  intros names live means i small.
  destruct (some_or_none B (label A i)) as [some | none]; [exact some | exfalso].
  set (column := fun j => weight A j i). assert (In column (avoided A)) as among.
  { right. apply in_map_iff. exists i. split; [reflexivity | apply in_seq; lia]. }
  destruct (avoided_nonzero A live column among) as (u & row & nonzero). apply nonzero.
  apply (linear_determined (S (calls A)) (avoided A) column (fun _ => 0));
    [apply avoided_nonzero, live | | exact row].
  intros p outside. destruct (factors_off decide A p names outside) as (last & f & found).
  exists (/ p (calls A)). split; [apply Rinv_neq_0_compat, last |].
  change (dot _ column ?x) with (reach A x i). rewrite <- (mean_only decide k A f) by assumption.
  rewrite means, mean_unused by exact none. symmetry. apply sum_zero. intros. ring.
Qed.

Lemma renaming_exists A B : distinct A -> distinct B -> live A -> live B ->
  (forall f g, mean A f g = mean B f g) ->
  exists p p', renaming A B p p' /\ forall i, (i < calls A)%nat -> label B (p i) = label A i.
Proof.
  intros names names' live live' means.
  destruct (finite_choice _ _ (labels_shared A B names live means)) as [p there].
  destruct (finite_choice _ _ (labels_shared B A names' live' (fun f g => eq_sym (means f g)))) as [p' back].
  exists (fun i => if Nat.eq_dec i (calls A) then calls B else p i), p'. split; [split; [| split] |].
  - intros i small. destruct (Nat.eq_dec i (calls A)); [lia |]. destruct (there i small) as [inside same].
    destruct (back (p i) inside). split; [exact inside | apply names; congruence].
  - intros j small. destruct (back j small) as [inside same]. destruct (Nat.eq_dec (p' j) (calls A)); [lia |].
    destruct (there (p' j) inside). split; [exact inside | apply names'; congruence].
  - destruct (Nat.eq_dec (calls A) (calls A)); congruence.
  - intros i small. destruct (Nat.eq_dec i (calls A)); [lia | apply there, small].
Qed.

(** The same answers reach the outputs, so the same queries do. *)
Lemma factors_renamed A B p p' f x x' :
  distinct A -> distinct B -> renaming A B p p' ->
  (forall i, (i < calls A)%nat -> label B (p i) = label A i) -> (forall f g, mean A f g = mean B f g) ->
  factors A f x -> factors B f x' ->
  (forall i, (i < calls A)%nat -> reach B x' (p i) = reach A x i) /\
  forall u, (u < S (calls A))%nat -> x' (p u) = x u.
Proof.
  intros names names' (there & _ & last) labels means found found'.
  assert (forall i, (i < calls A)%nat -> reach B x' (p i) = reach A x i) as heard.
  { intros i small. destruct (there i small).
    rewrite <- (mean_only decide k A f), <- (mean_only decide k B f), labels by assumption.
    symmetry. apply means. }
  split; [exact heard |]. intros u row. destruct found as [one each], found' as [one' each'].
  destruct (Nat.eq_dec u (calls A)) as [-> |]; [rewrite last; congruence |].
  destruct (there u); [lia |]. rewrite each, each', heard, labels by (trivial; lia). reflexivity.
Qed.

(** Mean and variance of the output, for all affine networks, determine the sampler. *)
Theorem moments_determine A B Sigma Sigma' :
  distinct A -> distinct B -> live A -> live B ->
  symmetric (S (calls A)) Sigma -> symmetric (S (calls B)) Sigma' ->
  (forall f g, mean A f g = mean B f g) -> (forall f, variance A Sigma f = variance B Sigma' f) ->
  same_merged A B Sigma Sigma'.
Proof.
  intros names names' live live' symmetric symmetric' means variances.
  destruct (renaming_exists A B names names' live live' means) as (p & p' & both & labels).
  exists p, p'. split; [exact both |]. set (n := S (calls A)) in *.
  assert (forall u, (u < n)%nat -> (p u < S (calls B))%nat) as rows.
  { destruct both as (there & _ & last). intros u row.
    destruct (Nat.eq_dec u (calls A)) as [-> |]; [lia |]. destruct (there u); lia. }
  assert (forall x, off n (avoided A) x -> exists a, a <> 0 /\ exists f x',
    factors A f (multiple a x) /\ factors B f x' /\
    (forall i, (i < calls A)%nat -> reach B x' (p i) = reach A (multiple a x) i) /\
    forall u, (u < n)%nat -> x' (p u) = multiple a x u) as occurs.
  { intros x outside. destruct (factors_off decide A x names outside) as (last & f & found).
    destruct (factors_exist B f) as [x' found']. exists (/ x (calls A)).
    split; [apply Rinv_neq_0_compat, last |]. exists f, x'.
    destruct (factors_renamed A B p p' f _ x' names names' both labels means found found'). tauto. }
  split; [| split].
  - intros i small. symmetry. apply labels, small.
  - intros j i row small.
    apply (linear_determined n (avoided A) (fun u => weight A u i) (fun u => weight B (p u) (p i)));
      [apply avoided_nonzero, live | | unfold n; lia].
    intros x outside. destruct (occurs x outside) as (a & nonzero & f & x' & _ & _ & heard & same).
    exists a. split; [exact nonzero |]. change (dot n (fun u => weight A u i) ?y) with (reach A y i).
    rewrite <- (heard i small), (reach_rows A B p p' both x' i). apply sum_ext. intros.
    rewrite same by assumption. reflexivity.
  - intros u v ? ?.
    apply (quadratic_determined n (avoided A) Sigma (fun u v => Sigma' (p u) (p v)));
      [apply avoided_nonzero, live | exact symmetric | | | unfold n; lia | unfold n; lia].
    { intros b c ? ?. apply symmetric'; apply rows; assumption. }
    intros x outside. destruct (occurs x outside) as (a & nonzero & f & x' & found & found' & _ & same).
    exists a. split; [exact nonzero |]. unfold n.
    rewrite <- (variance_factors k A Sigma f _ found), variances, (variance_factors k B Sigma' f _ found').
    rewrite (quadratic_rows A B p p' both _ x'). apply sum_ext. intros b ?. apply sum_ext. intros c ?.
    rewrite !same by assumption. reflexivity.
Qed.
End Moments.
